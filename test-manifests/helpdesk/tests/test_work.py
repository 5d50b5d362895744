import pytest


def log(agent, minutes, what):
    agent.fill(minutes=str(minutes), what=what)
    agent.click("#log")


@pytest.mark.fault("bug")
def test_minutes_are_added_up(agent):
    agent.open_ticket()
    log(agent, 10, "Looked at it")
    log(agent, 20, "Took it apart")
    log(agent, 12, "Put it together")
    agent.sees("#work li", "10 min: Looked at it", "20 min: Took it apart", "12 min: Put it together")
    agent.sees("#minutes", "42", within=1)


def test_a_ticket_without_work_took_no_time(agent):
    agent.open_ticket()
    agent.sees("#minutes", "0")


@pytest.mark.parametrize("minutes", ["0", "-5", "soon"])
def test_work_takes_at_least_a_minute(agent, minutes):
    agent.open_ticket()
    log(agent, minutes, "Blinked")
    agent.sees("#message", "Work takes at least a minute.")
