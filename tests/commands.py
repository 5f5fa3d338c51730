"""The `mixcon` command in a process of its own, forked from one that has its libraries imported.

Importing them costs seconds of processor time, which a hundred commands need not pay. What a fresh
interpreter does, tests of the front door and of endings show.
"""

import multiprocessing
import os
import resource
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload([
    "mixcon._lightning", "optuna", "mixcon.cli.audit", "mixcon.cli.sweep", "mixcon.cli.train",
])  # fmt: skip


class Command:
    """A command at work; takes signals, and shows what it says when it has ended.

    Args:
        words: of the command line, without `mixcon`.
        script: a Python file to run in its place.
        cwd: where it works.
        env: its environment, if not this one.
        input: what it can read.
        file_limit: bytes that a file of it can have.
    """

    def __init__(self, *words, script=None, cwd=".", env=None, input=b"", file_limit=None):
        self.words = list(map(str, words))
        self._place = TemporaryDirectory()
        self._streams = [Path(self._place.name, name) for name in ("in", "out", "err")]
        self._streams[0].write_bytes(input)
        environment = dict(os.environ if env is None else env)
        self._process = _SERVER.Process(
            target=_run,
            args=(script, self.words, str(cwd), environment, self._streams, file_limit),
        )
        self._process.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Killed if it still runs when the test is done with it."""
        self._process.kill()
        self._process.join()
        self._place.cleanup()

    @property
    def returncode(self):
        return self._process.exitcode

    def send_signal(self, number):
        os.kill(self._process.pid, number)

    def wait_until(self, there):
        """Wait for a sign of progress, for as long as it runs."""
        while not there():
            assert self.returncode is None, self.said
            time.sleep(0.01)

    def wait(self, timeout=300):
        """Its exit code, once it has ended."""
        self._process.join(timeout)
        if self._process.is_alive():
            raise subprocess.TimeoutExpired(self.words, timeout)
        return self._process.exitcode

    @property
    def shown(self):
        """What it wrote so far: bytes of stdout, bytes of stderr."""
        return tuple(path.read_bytes() if path.exists() else b"" for path in self._streams[1:])

    @property
    def said(self):
        """What it wrote to stderr so far."""
        return self.shown[1].decode()


def run_command(*words, input=None, text=True, timeout=300, **settings):
    """Like `subprocess.run` of the command; settings are those of `Command`."""
    given = input.encode() if isinstance(input, str) else input or b""
    with Command(*words, input=given, **settings) as command:
        command.wait(timeout)
        shown = command.shown
        return subprocess.CompletedProcess(
            command.words,
            command.returncode,
            *(each.decode() if text else each for each in shown),
        )


def _run(script, words, cwd, env, streams, file_limit):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # as where Python starts
    for number, path in enumerate(streams):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
        os.dup2(os.open(path, flags), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  multiprocessing closed it
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    if file_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
    sys.argv = [str(script or "mixcon"), *words]
    if script:
        sys.path.insert(0, str(Path(script).parent))
        runpy.run_path(str(script), run_name="__main__")
        return
    from mixcon.cli import main  # noqa: PLC0415  not before the environment is its own

    main()
