import contextlib
import json
import os
import subprocess
import sys

from support import DEADLINE_SECONDS, PROGRAM, WorkerCase


def token(name):
    """Unlike that of other checks on the same machine."""
    return "%s-%d" % (name, os.getpid())


class KillCheck(WorkerCase):
    def kill(self, word):
        done = subprocess.run([sys.executable, PROGRAM, "--kill", word], stdout=subprocess.PIPE, timeout=DEADLINE_SECONDS,
                              env=dict(os.environ, SHAKEDOWN_WORKER=word))
        self.assertEqual(0, done.returncode)
        return json.loads(done.stdout)["killed"]

    @contextlib.contextmanager
    def process(self, word, script="echo ready; exec sleep infinity"):
        """A process that says when it runs, and then waits for ever. Ends with the block."""
        process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, env=dict(os.environ, SHAKEDOWN_WORKER=word))
        try:
            self.assertEqual(b"ready\n", process.stdout.readline())
            yield process
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    def test_a_worker_keeps_account_of_what_it_has_said_and_heard(self):
        worker = self.loaded("def test_x(): pass", SHAKEDOWN_WORKER=token("run/1.1"))
        said = 2 + len(self.list(worker)) + 1
        told = subprocess.run([sys.executable, PROGRAM, "--tell", token("run/1.1")], stdout=subprocess.PIPE)
        self.assertEqual(([said, 1], 0), ([int(number) for number in told.stdout.split()], told.returncode))
        nobody = subprocess.run([sys.executable, PROGRAM, "--tell", token("nobody")], stdout=subprocess.PIPE)
        self.assertEqual((b"", 0), (nobody.stdout, nobody.returncode))

    def test_kills_what_carries_the_token_and_nothing_else(self):
        with self.process(token("t")) as mine, self.process(token("t") + "2") as other:
            self.assertEqual(1, self.kill(token("t")))
            self.assertEqual(-9, mine.wait(DEADLINE_SECONDS))
            self.assertIsNone(other.poll())

    def test_kills_children_that_hide_the_token(self):
        with self.process(token("t2"), "env -i setsid sleep infinity & echo ready; wait") as parent:
            self.assertEqual(2, self.kill(token("t2")))
            parent.wait(DEADLINE_SECONDS)

    def test_kills_orphans_that_carry_the_token(self):
        with self.process(token("t3"), "setsid sh -c 'setsid sleep infinity &' ; echo ready; exec sleep infinity"):
            self.assertEqual(2, self.kill(token("t3")))
            self.assertEqual(0, self.kill(token("t3")))

    def test_kills_a_worker_in_the_midst_of_a_test_that_ignores_signals(self):
        worker = self.loaded("import os, signal\ndef test_x():\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                             "    os.system('sleep infinity')", SHAKEDOWN_WORKER=token("t4"))
        self.ask(worker, "test_a.py::test_x")
        worker.until("started")
        self.assertGreaterEqual(self.kill(token("t4")), 1)
        self.assertEqual(-9, worker.exit_code())
        self.assertEqual(0, self.kill(token("t4")))

    def test_nothing_to_kill(self):
        self.assertEqual(0, self.kill(token("nobody")))

    def test_without_a_token_it_refuses(self):
        done = subprocess.run([sys.executable, PROGRAM, "--kill", ""], stderr=subprocess.DEVNULL)
        self.assertNotEqual(0, done.returncode)
