import pytest

import api


def solved(agent):
    ticket = agent.open_ticket()
    agent.choose(status="solved")
    agent.click("#save")
    agent.sees("#status", "solved")
    return ticket


@pytest.mark.parametrize("rating", [1, 5])
def test_who_was_helped_rates_us(agent, rating):
    ticket = solved(agent)
    agent.visit(f"/requests/{ticket['token']}")
    agent.click(f"#rating [value='{rating}']")
    agent.sees("#rated", f"You gave us {rating} of 5.")
    agent.sees("#rating")


def test_an_open_ticket_is_not_rated(desk):
    ticket = desk.make_ticket()
    desk.visit(f"/requests/{ticket['token']}")
    desk.sees("#status", "open")
    desk.sees("#rating")
    assert desk.driver.current_url == f"{api.URL}/requests/{ticket['token']}"
