import pytest

from desk import unique


@pytest.fixture
def queue(agent):
    return agent.make_queue()


def test_a_queue_counts_what_is_not_solved(agent, queue):
    agent.make_ticket(queue=queue)
    solved = agent.open_ticket(queue=queue)
    agent.visit("/queues")
    agent.sees(f"#queue-{queue} .unsolved", "2")
    agent.visit(f"/tickets/{solved['id']}")
    agent.choose(status="solved")
    agent.click("#save")
    agent.sees("#status", "solved")
    agent.visit("/queues")
    agent.sees(f"#queue-{queue} .unsolved", "1")


def test_an_empty_queue_has_no_tickets(agent, queue):
    agent.visit(f"/queues/{queue}")
    agent.sees("#pages", "1")
    agent.sees("#tickets a")


def test_tickets_are_ordered_as_one_likes(agent, queue):
    low, urgent, normal = (
        agent.make_ticket(queue=queue, priority=priority)["subject"] for priority in (3, 1, 2)
    )
    agent.visit(f"/queues/{queue}")
    agent.sees("#tickets a", low, urgent, normal)
    agent.choose(order="newest")
    agent.click("#show")
    agent.sees("#tickets a", normal, urgent, low)
    agent.choose(order="urgency")
    agent.click("#show")
    agent.sees("#tickets a", urgent, normal, low)


def test_tickets_are_filtered_by_status(agent, queue):
    agent.make_ticket(queue=queue)
    waiting = agent.open_ticket(queue=queue)
    agent.choose(status="waiting")
    agent.click("#save")
    agent.visit(f"/queues/{queue}")
    agent.choose(status="waiting")
    agent.click("#show")
    agent.sees("#tickets a", waiting["subject"])


def test_many_tickets_are_shown_page_by_page(agent, queue):
    subjects = [agent.make_ticket(queue=queue)["subject"] for _ in range(23)]
    agent.visit(f"/queues/{queue}")
    agent.sees("#pages a", "1", "2", "3")
    for page in range(3):
        agent.click(f"#pages a:nth-child({page + 1})")
        agent.sees("#pages .here", str(page + 1))
        agent.sees("#tickets a", *subjects[page * 10 : page * 10 + 10])


def test_who_took_a_ticket_is_said_in_the_queue(agent, queue):
    agent.open_ticket(queue=queue)
    agent.click("#take")
    name = agent.name
    agent.sees("#assignee", name)
    agent.click("#queue")
    agent.sees("#tickets .agent", name)


def test_a_ticket_is_opened_from_its_queue(agent, queue):
    ticket = agent.make_ticket(queue=queue)
    agent.visit(f"/queues/{queue}")
    agent.click("#tickets a")
    agent.sees("h1", ticket["subject"])


@pytest.mark.fault("stale-cache")
def test_a_queue_is_shown_by_its_new_name(agent, queue):
    name = unique("Renamed")
    agent.visit(f"/queues/{queue}")
    agent.fill(name=name)
    agent.click("#rename")
    agent.sees("h1", name, within=2)
    agent.visit("/queues")
    agent.sees(f"#queue-{queue} a", name)


def test_a_queue_keeps_its_name_where_the_new_one_is_blank(agent, queue):
    agent.visit(f"/queues/{queue}")
    agent.fill(name="   ")
    agent.click("#rename")
    agent.sees("#message", "A queue needs a name.")
