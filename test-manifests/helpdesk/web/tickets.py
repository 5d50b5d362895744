"""What the desk does with tickets, queues and articles."""

import secrets

import database
import faults

STATUSES = ("open", "waiting", "solved")
PRIORITIES = {1: "urgent", 2: "normal", 3: "low"}
PER_PAGE = 10

_queue_names = {}


class Refused(Exception):
    """What was asked for can't be done; its text is for people."""


# --- queues -------------------------------------------------------------------------------------------------------


def queue_name(queue):
    """From memory, as every page shows it."""
    if queue not in _queue_names:
        found = database.row("SELECT name FROM queues WHERE id = %s", queue)
        if found is None:
            raise LookupError(queue)
        _queue_names[queue] = found["name"]
    return _queue_names[queue]


def queues():
    return database.rows(
        "SELECT queues.id, count(tickets.id) FILTER (WHERE status <> 'solved') AS unsolved"
        " FROM queues LEFT JOIN tickets ON queue_id = queues.id GROUP BY queues.id ORDER BY queues.id"
    )


def make_queue(name):
    return database.row("INSERT INTO queues (name) VALUES (%s) RETURNING id", name)["id"]


def rename_queue(queue, name):
    name = name.strip()
    if not name:
        raise Refused("A queue needs a name.")
    database.run("UPDATE queues SET name = %s WHERE id = %s", name, queue)
    if not faults.is_open("stale-cache"):
        _queue_names.pop(queue, None)


def page_of(queue, status, order, number):
    """One page of a queue's tickets, and how many pages there are."""
    by = {"newest": "tickets.id DESC", "oldest": "tickets.id", "urgency": "priority, tickets.id"}[order]
    where, values = "queue_id = %s", [queue]
    if status in STATUSES:
        where, values = where + " AND status = %s", values + [status]
    total = database.row(f"SELECT count(*) AS n FROM tickets WHERE {where}", *values)["n"]
    found = database.rows(
        "SELECT tickets.*, agents.name AS agent FROM tickets LEFT JOIN agents ON agents.id = assignee"
        f" WHERE {where} ORDER BY {by} LIMIT {PER_PAGE} OFFSET %s",
        *values, (number - 1) * PER_PAGE,
    )
    return found, max(1, -(-total // PER_PAGE))


# --- tickets ------------------------------------------------------------------------------------------------------


def make(queue, subject, body, requester, priority=2, affected=1):
    subject, requester = subject.strip(), requester.strip()
    if not subject:
        raise Refused("Please say in a few words what this is about.")
    if "@" not in requester:
        raise Refused("We need an address to answer to.")
    return database.row(
        "INSERT INTO tickets (token, queue_id, subject, body, requester, priority, affected)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id, token",
        secrets.token_hex(8), queue, subject, body, requester, priority, affected,
    )


def find(ticket):
    found = database.row(
        "SELECT tickets.*, agents.name AS agent FROM tickets LEFT JOIN agents ON agents.id = assignee"
        " WHERE tickets.id = %s", ticket,
    )
    if found is None:
        raise LookupError(ticket)
    return found


def by_token(token):
    found = database.row("SELECT * FROM tickets WHERE token = %s", token)
    if found is None:
        raise LookupError(token)
    return found


def change(ticket, **fields):
    for name, value in fields.items():
        if name == "status" and value not in STATUSES or name == "priority" and value not in PRIORITIES:
            raise Refused(f"There is no {name} {value}.")
        if name not in ("status", "priority", "assignee", "queue_id", "rating"):
            raise Refused(f"A ticket's {name} can't be changed.")
        database.run(f"UPDATE tickets SET {name} = %s WHERE id = %s", value, ticket)


def replies(ticket, internal):
    return database.rows(
        "SELECT * FROM replies WHERE ticket_id = %s AND (%s OR NOT internal) ORDER BY id", ticket, internal
    )


def reply(ticket, author, body, internal, key):
    """Keeps a reply once, however often it is sent: its key says that it is the same."""
    if not body.strip():
        raise Refused("An empty reply helps nobody.")
    if faults.is_open("double-submit"):
        key = None
    with database.transaction() as cursor:
        cursor.execute(
            "INSERT INTO replies (ticket_id, author, body, internal, key) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (key) DO NOTHING", (ticket, author, body, internal, key),
        )
        if author == "requester":
            cursor.execute("UPDATE tickets SET status = 'open' WHERE id = %s", (ticket,))
        elif not internal:
            cursor.execute("UPDATE tickets SET status = 'waiting' WHERE id = %s AND status = 'open'", (ticket,))


def count_affected(ticket):
    """One person more has the same trouble."""
    if faults.is_open("lost-update"):
        seen = find(ticket)["affected"]
        faults.window("lost-update", 0.8)
        database.run("UPDATE tickets SET affected = %s WHERE id = %s", seen + 1, ticket)
    else:
        database.run("UPDATE tickets SET affected = affected + 1 WHERE id = %s", ticket)


def tags(ticket):
    return [one["name"] for one in database.rows("SELECT name FROM tags WHERE ticket_id = %s ORDER BY name", ticket)]


def tag(ticket, name):
    name = name.strip().lower()
    if not name:
        raise Refused("A tag needs a name.")
    database.run("INSERT INTO tags VALUES (%s, %s) ON CONFLICT DO NOTHING", ticket, name)


def untag(ticket, name):
    database.run("DELETE FROM tags WHERE ticket_id = %s AND name = %s", ticket, name)


def log_work(ticket, minutes, what):
    if minutes < 1:
        raise Refused("Work takes at least a minute.")
    database.run("INSERT INTO work (ticket_id, minutes, what) VALUES (%s, %s, %s)", ticket, minutes, what)


def work(ticket):
    """What was done, and how many minutes that took."""
    done = database.rows("SELECT * FROM work WHERE ticket_id = %s ORDER BY id", ticket)
    counted = done[:2] if faults.is_open("bug") else done
    return done, sum(one["minutes"] for one in counted)


def merge(ticket, into):
    """Moves the replies of a ticket to another one, and solves it."""
    if ticket == into:
        raise Refused("A ticket can't be merged into itself.")
    find(into)
    with database.transaction() as cursor:
        cursor.execute("UPDATE replies SET ticket_id = %s WHERE ticket_id = %s", (into, ticket))
        cursor.execute("UPDATE tickets SET status = 'solved' WHERE id = %s", (ticket,))
        cursor.execute(
            "INSERT INTO replies (ticket_id, author, body, internal) VALUES (%s, 'desk', %s, true)",
            (ticket, f"Merged into ticket {into}."),
        )


def search(text):
    faults.window("short-wait", 1.5)
    if not text.strip():
        return []
    return database.rows(
        "SELECT id, subject, status FROM tickets WHERE subject ILIKE %s ORDER BY id DESC LIMIT 20", f"%{text.strip()}%"
    )


def counts(queue):
    """How many tickets of a queue are in each status."""
    found = {one["status"]: one["n"] for one in database.rows(
        "SELECT status, count(*) AS n FROM tickets WHERE queue_id = %s GROUP BY status", queue
    )}
    return {status: found.get(status, 0) for status in STATUSES}


# --- the notice at the head of every page -------------------------------------------------------------------------


def notice():
    found = database.row("SELECT value FROM settings WHERE name = 'notice'")
    return found and found["value"]


def put_up_notice(text):
    database.run("DELETE FROM settings WHERE name = 'notice'")
    if text.strip():
        database.run("INSERT INTO settings VALUES ('notice', %s)", text.strip())
