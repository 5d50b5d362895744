def test_a_ticket_is_merged_into_another_with_what_was_said(agent):
    kept = agent.make_ticket()
    merged = agent.make_ticket()
    agent.visit(f"/requests/{merged['token']}")
    agent.fill(body="The same here.")
    agent.click("#reply")
    agent.sees("#replies li", "requester The same here.")
    agent.visit(f"/tickets/{merged['id']}")
    agent.fill(into=str(kept["id"]))
    agent.click("#merge")
    agent.sees("h1", kept["subject"])
    agent.sees("#replies li", "requester The same here.")
    agent.visit(f"/tickets/{merged['id']}")
    agent.sees("#status", "solved")
    agent.sees("#replies li", f"desk Merged into ticket {kept['id']}.")


def test_a_ticket_is_not_merged_into_itself(agent):
    ticket = agent.open_ticket()
    agent.fill(into=str(ticket["id"]))
    agent.click("#merge")
    agent.sees("#message", "A ticket can't be merged into itself.")


def test_a_ticket_is_not_merged_into_one_that_is_not_there(agent):
    agent.open_ticket()
    agent.fill(into="99999999")
    agent.click("#merge")
    agent.sees("h1", "Nothing here")
