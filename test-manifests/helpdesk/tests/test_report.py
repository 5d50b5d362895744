import pytest


@pytest.mark.fault("crash")
def test_a_report_counts_each_status(agent):
    queue = agent.make_queue()
    for status in ("waiting", "solved", "solved"):
        agent.open_ticket(queue=queue)
        agent.choose(status=status)
        agent.click("#save")
        agent.sees("#status", status)
    agent.make_ticket(queue=queue)
    agent.visit(f"/queues/{queue}")
    agent.click("#to-report")
    agent.sees("dd", "1", "1", "2")


def test_a_report_on_an_empty_queue_is_all_noughts(agent):
    queue = agent.make_queue()
    agent.visit(f"/queues/{queue}")
    agent.click("#to-report")
    agent.sees("dd", "0", "0", "0")
