import pytest

import api
from desk import unique


def ask(desk, subject, requester="kim@quayside.test"):
    desk.visit("/requests/new")
    desk.fill(subject=subject, body="It only hums.", requester=requester)
    desk.choose(queue="Hardware")
    desk.click("#send")


def test_a_question_becomes_an_open_ticket(desk):
    subject = unique("Scanner")
    ask(desk, subject)
    desk.sees("h1", subject)
    desk.sees("#status", "open")
    desk.sees("#body", "It only hums.")


@pytest.mark.parametrize(
    "subject, requester, error",
    [
        ("", "kim@quayside.test", "Please say in a few words what this is about."),
        ("   ", "kim@quayside.test", "Please say in a few words what this is about."),
        ("Scanner", "kim", "We need an address to answer to."),
    ],
    ids=["no subject", "a blank subject", "no address"],
)
def test_what_is_missing_is_said_and_the_rest_is_kept(desk, subject, requester, error):
    ask(desk, subject, requester)
    desk.sees("#error", error)
    assert desk.find("[name=body]").get_attribute("value") == "It only hums."


def test_markup_is_shown_as_it_was_typed(desk):
    subject = unique("<b>Bold</b> & brave")
    ask(desk, subject)
    desk.sees("h1", subject)


def test_the_requester_can_add_something(desk):
    ticket = desk.make_ticket()
    desk.visit(f"/requests/{ticket['token']}")
    desk.fill(body="Now it smokes.")
    desk.click("#reply")
    desk.sees("#replies li", "requester Now it smokes.")


def test_others_who_are_affected_are_counted(desk):
    ticket = desk.make_ticket()
    desk.visit(f"/requests/{ticket['token']}")
    desk.click("#me-too")
    desk.sees("#affected", "2")
    desk.click("#me-too")
    desk.sees("#affected", "3")


def test_an_unknown_request_is_not_there(desk):
    desk.visit("/requests/ffff")
    desk.sees("h1", "Nothing here")


def test_the_areas_are_named_on_the_first_page(desk):
    desk.visit("/")
    desk.sees("#areas li", "General", "Billing", "Hardware", "Network")
    desk.click("#ask")
    desk.sees("h1", "Ask for help")
    assert desk.driver.current_url == api.URL + "/requests/new"
