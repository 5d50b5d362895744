"""Faults that can be planted, and whether their window is open right now. See README.md."""

import os
import time

PLANTED = {one.strip().split("=")[0] for one in os.environ.get("HELPDESK_FAULTS", "").split(",")} - {""}

_open = set()


def is_open(name):
    return name in _open


def set_open(names):
    _open.clear()
    _open.update(PLANTED.intersection(names))


def window(name, seconds):
    """Widens a race that is really there, so that it shows nearly every time."""
    if is_open(name):
        time.sleep(seconds)
