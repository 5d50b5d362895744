"""Which faults strike in this attempt: HELPDESK_FAULTS is a comma list of `name` or `name=mode`. See README.md."""

import os
import random

import api

ALWAYS = ("leftover", "bug", "hang")
MODES = {}
for entry in filter(None, (one.strip() for one in os.environ.get("HELPDESK_FAULTS", "").split(","))):
    name, _, mode = entry.partition("=")
    MODES[name] = mode or ("always" if name in ALWAYS else "first")


def strikes(name):
    mode = MODES.get(name)
    if mode is None:
        return False
    if mode == "always":
        return True
    if mode == "first":
        return os.environ.get("SHAKEDOWN_ATTEMPT", "1") == "1"
    return random.random() < float(mode)


def set_open(names):
    try:
        api.post("/__faults", open=names)
    except OSError:
        if names:
            raise
        # Nobody is there to tell: that is what the fault crash does.
