"""The pages of the help desk, and the API by which other programs, and its tests, bring data in."""

import os
import secrets
import time

from flask import Flask, Response, abort, jsonify, redirect, render_template, request, session
from werkzeug.security import check_password_hash, generate_password_hash

import database
import faults
import tickets
from tickets import Refused

app = Flask(__name__)
app.secret_key = os.environ.get("SECRET_KEY", "only-for-tests")


@app.context_processor
def on_every_page():
    return {
        "agent": session.get("agent"), "notice": tickets.notice(), "queue_name": tickets.queue_name,
        "statuses": tickets.STATUSES, "priorities": tickets.PRIORITIES,
    }


@app.errorhandler(LookupError)
def nothing_there(_error):
    return render_template("message.html", title="Nothing here", text="There is no such page."), 404


@app.errorhandler(Refused)
def refused(error):
    if request.is_json:
        return jsonify(error=str(error)), 422
    return render_template("message.html", title="That did not work", text=str(error)), 422


@app.before_request
def only_agents():
    path = request.path
    free = ("/static/", "/api/", "/requests", "/articles", "/sign-in", "/healthz", "/__faults")
    if "agent" not in session and path != "/" and not path.startswith(free):
        return redirect("/sign-in")
    return None


# --- for everybody ------------------------------------------------------------------------------------------------


@app.get("/")
def home():
    return render_template("home.html", queues=tickets.queues())


@app.get("/sign-in")
def sign_in_form():
    return render_template("sign_in.html")


@app.post("/sign-in")
def sign_in():
    email = request.form["email"].strip().lower()
    found = database.row("SELECT * FROM agents WHERE email = %s", email)
    if found is None or not check_password_hash(found["password"], request.form["password"]):
        return render_template("sign_in.html", email=email, error="We don't know this address with this password."), 403
    session["agent"] = {"id": found["id"], "name": found["name"]}
    return redirect("/queues")


@app.post("/sign-out")
def sign_out():
    session.clear()
    return redirect("/")


@app.get("/requests/new")
def request_form():
    return render_template("request_form.html", queues=tickets.queues(), form={})


@app.post("/requests")
def make_request():
    form = request.form
    try:
        made = tickets.make(int(form["queue"]), form["subject"], form["body"], form["requester"])
    except Refused as error:
        return render_template("request_form.html", queues=tickets.queues(), form=form, error=str(error)), 422
    return redirect(f"/requests/{made['token']}")


@app.get("/requests/<token>")
def request_page(token):
    ticket = tickets.by_token(token)
    return render_template("request.html", ticket=ticket, replies=tickets.replies(ticket["id"], internal=False))


@app.post("/requests/<token>/affected")
def affected(token):
    tickets.count_affected(tickets.by_token(token)["id"])
    return redirect(f"/requests/{token}")


@app.post("/requests/<token>/replies")
def answer(token):
    tickets.reply(tickets.by_token(token)["id"], "requester", request.form["body"], False, secrets.token_hex(8))
    return redirect(f"/requests/{token}")


@app.post("/requests/<token>/rating")
def rate(token):
    tickets.change(tickets.by_token(token)["id"], rating=int(request.form["rating"]))
    return redirect(f"/requests/{token}")


@app.get("/articles")
def articles():
    words = request.args.get("q", "")
    found = database.rows("SELECT * FROM articles WHERE title ILIKE %s ORDER BY title", f"%{words}%")
    return render_template("articles.html", articles=found, words=words)


@app.get("/articles/<int:article>")
def article_page(article):
    found = database.row("SELECT * FROM articles WHERE id = %s", article)
    if found is None:
        raise LookupError(article)
    return render_template("article.html", article=found)


@app.post("/articles/<int:article>/helpful")
def helpful(article):
    found = database.row("UPDATE articles SET helpful = helpful + 1 WHERE id = %s RETURNING helpful", article)
    return jsonify(found)


# --- for agents ---------------------------------------------------------------------------------------------------


@app.get("/queues")
def queues():
    return render_template("queues.html", queues=tickets.queues())


@app.get("/queues/<int:queue>")
def queue_page(queue):
    status, order = request.args.get("status", ""), request.args.get("order", "oldest")
    number = request.args.get("page", 1, type=int)
    found, pages = tickets.page_of(queue, status, order, number)
    return render_template(
        "queue.html", queue=queue, tickets=found, status=status, order=order, page=number, pages=pages
    )


@app.post("/queues/<int:queue>/name")
def rename(queue):
    tickets.rename_queue(queue, request.form["name"])
    return redirect(f"/queues/{queue}")


@app.get("/queues/<int:queue>/report")
def report(queue):
    if faults.is_open("crash"):
        os._exit(3)  # the code by which gunicorn knows that a worker can't start; it ends, too
    return render_template("report.html", queue=queue, counts=tickets.counts(queue))


@app.get("/tickets/<int:ticket>")
def ticket_page(ticket):
    found = tickets.find(ticket)
    work, minutes = tickets.work(ticket)
    return render_template(
        "ticket.html", ticket=found, replies=tickets.replies(ticket, internal=True), tags=tickets.tags(ticket),
        work=work, minutes=minutes, key=secrets.token_hex(8), queues=tickets.queues(),
    )


@app.post("/tickets/<int:ticket>/replies")
def reply(ticket):
    told = request.get_json()
    tickets.reply(ticket, session["agent"]["name"], told["body"], told["internal"], told["key"])
    return jsonify(replies=len(tickets.replies(ticket, internal=True)))


@app.post("/tickets/<int:ticket>/fields")
def fields(ticket):
    form = request.form
    tickets.change(ticket, status=form["status"], priority=int(form["priority"]), queue_id=int(form["queue"]))
    return redirect(f"/tickets/{ticket}")


@app.post("/tickets/<int:ticket>/assignee")
def take(ticket):
    tickets.change(ticket, assignee=session["agent"]["id"] if request.form["take"] == "yes" else None)
    return redirect(f"/tickets/{ticket}")


@app.post("/tickets/<int:ticket>/tags")
def tag(ticket):
    (tickets.untag if "remove" in request.form else tickets.tag)(ticket, request.form["name"])
    return redirect(f"/tickets/{ticket}")


@app.post("/tickets/<int:ticket>/work")
def log_work(ticket):
    tickets.log_work(ticket, request.form.get("minutes", 0, type=int), request.form["what"])
    return redirect(f"/tickets/{ticket}")


@app.post("/tickets/<int:ticket>/merge")
def merge(ticket):
    into = request.form.get("into", 0, type=int)
    tickets.merge(ticket, into)
    return redirect(f"/tickets/{into}")


@app.get("/tickets/<int:ticket>/export")
def export(ticket):
    found = tickets.find(ticket)
    if faults.is_open("hang"):
        time.sleep(3600)
    lines = [found["subject"]] + [f"{one['author']}: {one['body']}" for one in tickets.replies(ticket, internal=False)]
    return Response("\n".join(lines), mimetype="text/plain")


@app.get("/search")
def search_page():
    return render_template("search.html")


@app.post("/notice")
def put_up_notice():
    tickets.put_up_notice(request.form["text"])
    return redirect("/queues")


# --- for programs -------------------------------------------------------------------------------------------------


@app.get("/api/search")
def search():
    return jsonify(tickets.search(request.args.get("q", "")))


@app.post("/api/agents")
def make_agent():
    told = request.get_json()
    database.run(
        "INSERT INTO agents (name, email, password) VALUES (%s, %s, %s)",
        told["name"], told["email"], generate_password_hash(told["password"], "pbkdf2:sha256:1000"),
    )
    return jsonify({})


@app.post("/api/queues")
def make_queue():
    return jsonify(id=tickets.make_queue(request.get_json()["name"]))


@app.post("/api/tickets")
def make_ticket():
    return jsonify(tickets.make(**request.get_json()))


@app.post("/api/articles")
def make_article():
    told = request.get_json()
    return jsonify(database.row(
        "INSERT INTO articles (title, body) VALUES (%s, %s) RETURNING id", told["title"], told["body"]
    ))


@app.post("/api/notice")
def notice_by_program():
    tickets.put_up_notice(request.get_json()["text"])
    return jsonify({})


@app.get("/healthz")
def healthy():
    database.row("SELECT 1 AS one")
    return "ok"


@app.post("/__faults")
def set_faults():
    if not faults.PLANTED:
        abort(404)
    faults.set_open(request.get_json()["open"])
    return jsonify({})
