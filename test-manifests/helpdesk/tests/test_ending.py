"""Something ends in the midst of a test, where that is asked for."""

import os
import signal
import time

import faults


def looks_after_a_ticket(agent):
    agent.open_ticket()
    agent.click("#take")
    agent.sees("#assignee", agent.name)


def kill_browser():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if b"headless-shell" in file.read():
                    os.kill(int(pid), signal.SIGKILL)
        except OSError:
            continue  # it ended while we looked


def test_a_before(agent):
    looks_after_a_ticket(agent)


def test_b_in_the_midst(agent):
    if faults.strikes("kill-browser"):
        kill_browser()
    if faults.strikes("kill-worker"):
        os.kill(os.getpid(), signal.SIGKILL)
    if faults.strikes("kill-runner"):
        os.kill(1, signal.SIGTERM)
        time.sleep(3600)  # nobody is there to hear how it ends
    looks_after_a_ticket(agent)


def test_c_after(agent):
    looks_after_a_ticket(agent)
