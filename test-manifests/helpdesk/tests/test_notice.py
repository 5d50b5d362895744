"""The notice at the head of every page is there once for the whole desk: what is put up is taken down again."""

import pytest

import api


@pytest.fixture
def cleared(request):
    yield
    if "leftover" not in request.node.struck:
        api.post("/api/notice", text="")


@pytest.mark.fault("leftover")
def test_a_notice_is_shown_on_every_page(agent, cleared):
    agent.visit("/queues")
    agent.fill(text="The telephones are down.")
    agent.click("#publish")
    agent.sees("#notice", "The telephones are down.")
    agent.visit("/articles")
    agent.sees("#notice", "The telephones are down.")


def test_no_notice_is_there_on_an_ordinary_day(desk):
    desk.visit("/")
    desk.sees("h1", "How can we help?")
    desk.sees("#notice", within=1)


def test_a_notice_is_replaced_and_taken_down(agent, cleared):
    for text in ("Back at noon.", "Back at one."):
        agent.visit("/queues")
        agent.fill(text=text)
        agent.click("#publish")
        agent.sees("#notice", text)
    agent.fill(text="")
    agent.click("#publish")
    agent.sees("#notice")
