import secrets

import pytest


@pytest.mark.fault("short-wait")
def test_tickets_are_found_while_one_types(agent, request):
    word = secrets.token_hex(5)
    agent.make_ticket(subject=f"Keyboard {word}")
    agent.visit("/search")
    agent.find("#words").send_keys(word)
    within = 1 if "short-wait" in request.node.struck else 10
    agent.sees("#results li", f"Keyboard {word} (open)", within=within)


def test_the_newest_is_found_first(agent):
    word = secrets.token_hex(5)
    for name in ("Mouse", "Cable"):
        agent.make_ticket(subject=f"{name} {word}")
    agent.visit("/search")
    agent.find("#words").send_keys(word.upper())
    agent.sees("#results a", f"Cable {word}", f"Mouse {word}")


def test_nothing_found_is_said(agent):
    agent.visit("/search")
    agent.find("#words").send_keys(secrets.token_hex(8))
    agent.sees("#none", "Nothing was found.")
    agent.sees("#results li")


def test_a_found_ticket_is_a_click_away(agent):
    word = secrets.token_hex(5)
    agent.make_ticket(subject=f"Lamp {word}")
    agent.visit("/search")
    agent.find("#words").send_keys(word)
    agent.sees("#results a", f"Lamp {word}")
    agent.click("#results a")
    agent.sees("h1", f"Lamp {word}")
