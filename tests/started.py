"""Commands as processes of their own, that end with the test and take signals as in a terminal."""

import contextlib
import signal
import subprocess
import sys
import time


def signals_as_in_a_terminal():
    """In the background the children of the tests would inherit that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextlib.contextmanager
def started(*words, program=("-m", "mixcon"), **settings):
    """A process; killed if it still runs when the test is done with it."""
    process = subprocess.Popen(
        [sys.executable, *program, *map(str, words)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        preexec_fn=signals_as_in_a_terminal, **settings,  # noqa: PLW1509  only sets a signal
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until(there, process):
    """Wait for a sign of progress, for as long as the process runs."""
    while not there():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
