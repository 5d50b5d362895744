import pytest
from selenium.webdriver.common.action_chains import ActionChains


def test_a_reply_is_shown_with_its_author_and_waits_for_the_requester(agent):
    ticket = agent.open_ticket()
    agent.fill(body="Have you tried to turn it off?")
    agent.click("#reply")
    name = agent.name
    agent.sees("#replies li", f"{name} Have you tried to turn it off?")
    agent.sees("#status", "waiting")
    agent.visit(f"/requests/{ticket['token']}")
    agent.sees("#replies li", f"{name} Have you tried to turn it off?")


def test_what_is_only_for_us_the_requester_does_not_see(agent):
    ticket = agent.open_ticket()
    agent.fill(body="The third one this week.")
    agent.press("[name=internal]")
    agent.click("#reply")
    agent.sees("#replies .internal b", agent.name)
    agent.sees("#status", "open")
    agent.visit(f"/requests/{ticket['token']}")
    agent.sees("#status", "open")
    agent.sees("#replies li")


def test_an_empty_reply_is_refused(agent):
    agent.open_ticket()
    agent.press("#reply")
    agent.sees("#sent", "An empty reply helps nobody.")
    agent.sees("#replies li")


def test_an_answer_of_the_requester_opens_the_ticket_again(agent):
    ticket = agent.open_ticket()
    agent.choose(status="waiting")
    agent.click("#save")
    agent.sees("#status", "waiting")
    agent.visit(f"/requests/{ticket['token']}")
    agent.fill(body="I did, and it hums louder.")
    agent.click("#reply")
    agent.sees("#status", "open")


@pytest.mark.fault("double-submit")
def test_a_reply_is_sent_once_however_often_the_button_is_clicked(agent):
    agent.open_ticket()
    agent.fill(body="On my way.")
    ActionChains(agent.driver).double_click(agent.find("#reply")).perform()
    agent.sees("#replies li", f"{agent.name} On my way.", within=3)


def test_a_conversation_keeps_its_order(agent):
    ticket = agent.open_ticket()
    name = agent.name
    said = []
    for number in range(1, 4):
        agent.fill(body=f"Step {number}: look behind it.")
        agent.click("#reply")
        said.append(f"{name} Step {number}: look behind it.")
        agent.sees("#replies li", *said)
        agent.visit(f"/requests/{ticket['token']}")
        agent.fill(body=f"Step {number} is done.")
        agent.click("#reply")
        said.append(f"requester Step {number} is done.")
        agent.sees("#replies li", *said)
        agent.visit(f"/tickets/{ticket['id']}")
