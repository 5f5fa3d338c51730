"""`mixcon serve` in a process of its own, on the loopback."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


def start(export: Path, *options: str, port: int = 0) -> tuple[subprocess.Popen[str], str]:
    """The process, once it serves, and its URL."""
    command = [
        sys.executable, "-m", "mixcon", "serve", str(export / "cloud"), "--unaudited",
        "--port", str(port), "--trust", str(export / "public-key.pem"), *options,
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if "Serving" in line:
            return process, line.split()[-1]
    raise RuntimeError(f"expected mixcon serve to start, but it says: {''.join(said)}")


@contextlib.contextmanager
def mixcon_server(export: Path, *options: str) -> Iterator[str]:
    """The URL of a server while it runs."""
    with mixcon_process(export, *options) as (url, _):
        yield url


@contextlib.contextmanager
def mixcon_process(export: Path, *options: str) -> Iterator[tuple[str, int]]:
    """URL and process of a server while it runs."""
    process, url = start(export, *options)
    try:
        yield url, process.pid
    finally:
        process.terminate()
        try:
            process.communicate(timeout=60)
        finally:
            process.kill()
