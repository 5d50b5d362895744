"""The desk's API, by which other programs bring data in."""

import json
import os
import urllib.request

URL = os.environ.get("HELPDESK_URL", "http://web:8000")


def post(path, **fields):
    body = json.dumps(fields).encode()
    request = urllib.request.Request(URL + path, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def send_form(path):
    """As a browser would send a form without fields."""
    with urllib.request.urlopen(urllib.request.Request(URL + path, b""), timeout=60) as answer:
        return answer.read()
