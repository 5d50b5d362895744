import pytest


@pytest.mark.fault("hang")
def test_an_export_has_what_the_requester_may_see(agent):
    ticket = agent.open_ticket()
    name = agent.name
    agent.fill(body="It is mended.")
    agent.click("#reply")
    agent.sees("#replies li", f"{name} It is mended.")
    agent.click("#export")
    agent.sees("pre", f"{ticket['subject']}\n{name}: It is mended.")
