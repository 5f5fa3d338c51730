"""The `mixcon` command in a process of its own, forked from one that has its libraries imported.

Importing them costs seconds of processor time, which a hundred commands need not pay. What a fresh
interpreter does, tests of the front door and of endings show.
"""

import multiprocessing
import os
import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload([
    "lightning_fabric", "optuna", "mixcon.cli.audit", "mixcon.cli.sweep", "mixcon.cli.train",
])  # fmt: skip


def run_command(*words, cwd=".", env=None, input=None, text=True, file_limit=None, timeout=300):
    """Like `subprocess.run` of the command, whose files may be `file_limit` bytes long."""
    words = list(map(str, words))
    with TemporaryDirectory() as place:
        streams = [Path(place, name) for name in ("in", "out", "err")]
        streams[0].write_bytes(input.encode() if isinstance(input, str) else input or b"")
        environment = dict(os.environ if env is None else env)
        process = _SERVER.Process(
            target=_run, args=(words, str(cwd), environment, streams, file_limit)
        )
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(words, timeout)
        shown = [path.read_bytes() for path in streams[1:]]
    return subprocess.CompletedProcess(
        words, process.exitcode, *(each.decode() if text else each for each in shown)
    )


def _run(words, cwd, env, streams, file_limit):
    for number, path in enumerate(streams):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
        os.dup2(os.open(path, flags), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  multiprocessing closed it
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    if file_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
    from mixcon.cli import main  # noqa: PLC0415  not before the environment is its own

    sys.argv = ["mixcon", *words]
    main()
