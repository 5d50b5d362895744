from concurrent.futures import ThreadPoolExecutor

import pytest

import api


@pytest.mark.fault("lost-update")
def test_two_people_at_the_same_moment_both_count(desk):
    ticket = desk.make_ticket()
    path = f"/requests/{ticket['token']}"
    with ThreadPoolExecutor(2) as people:
        list(people.map(api.send_form, [f"{path}/affected"] * 2))
    desk.visit(path)
    desk.sees("#affected", "3", within=1)
