import pytest


def test_an_agent_takes_a_ticket_and_gives_it_back(agent):
    agent.open_ticket()
    agent.sees("#assignee", "nobody's")
    agent.click("#take")
    agent.sees("#assignee", agent.name)
    agent.click("#drop")
    agent.sees("#assignee", "nobody's")


@pytest.mark.parametrize("status", ["open", "waiting", "solved"])
def test_a_ticket_changes_its_status(agent, status):
    agent.open_ticket()
    agent.choose(status=status)
    agent.click("#save")
    agent.sees("#status", status)


@pytest.mark.parametrize("priority", ["urgent", "low"])
def test_a_ticket_changes_its_priority(agent, priority):
    agent.open_ticket()
    agent.sees("#priority", "normal")
    agent.choose(priority=priority)
    agent.click("#save")
    agent.sees("#priority", priority)


def test_a_ticket_moves_to_another_queue(agent):
    agent.open_ticket()
    agent.choose(queue="Network")
    agent.click("#save")
    agent.sees("#queue", "Network")


def test_tags_are_put_on_and_taken_off(agent):
    agent.open_ticket()
    for tag in ("Paper", "noise", "paper"):
        agent.find("#new-tag").send_keys(tag)
        agent.click("#tag")
        agent.sees("#tags span", *(["paper"] if tag == "Paper" else ["noise", "paper"]))
    agent.click("#tags button")
    agent.sees("#tags span", "paper")


def test_a_tag_needs_a_name(agent):
    agent.open_ticket()
    agent.click("#tag")
    agent.sees("#message", "A tag needs a name.")


def test_an_unknown_ticket_is_not_there(agent):
    agent.visit("/tickets/99999999")
    agent.sees("h1", "Nothing here")
