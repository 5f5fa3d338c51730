"""Several processes on one port: started, reloaded, replaced and stopped as one server."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from serving_parts import INFER, as_json, random_z
from tests.started import signals_as_in_a_terminal

from mixcon.serving import ServerLimits

pytestmark = pytest.mark.smoke


def test_each_worker_takes_its_part():
    part = ServerLimits(max_batch=64, max_queue=1024, memory=2**20, connections=100).part_of(4)
    assert (part.max_queue, part.memory, part.connections) == (256, 2**18, 25)
    assert ServerLimits(max_batch=64, max_queue=100).part_of(4).max_queue == 64


@pytest.fixture
def server(plain_export, trust):
    command = [sys.executable, "-m", "mixcon", "serve", plain_export.folder / "cloud", "--port", 0,
               "--unaudited", "--trust", trust, "--workers", 2]  # fmt: skip
    with subprocess.Popen(
        [*map(str, command)], stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"}, preexec_fn=signals_as_in_a_terminal,  # noqa: PLW1509
    ) as process:  # fmt: skip
        yield process
        process.kill()


def said(process, words):
    """The next line that says this."""
    return next(line for line in process.stderr if re.search(words, line))


def children(process):
    """The processes that serve, not those that help them to start."""
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in found}
    return [int(pid) for pid, command in commands.items() if "spawn_main" in command]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_workers_serve_reload_come_back_and_stop_as_one(server):
    url = said(server, "Serving").split()[-1]
    assert len(children(server)) == 2
    for _ in range(8):  # a connection each, which the kernel deals out
        assert httpx2.post(url + INFER, json=as_json(random_z(1))).status_code == 200
    assert 'status="200",version="1"} 8.0' in httpx2.get(url + "/metrics").text
    server.send_signal(signal.SIGHUP)
    for _ in range(2):
        said(server, "Serving digits, contract 1")
    os.kill(children(server)[0], signal.SIGKILL)
    said(server, "a worker ended, and was started again")
    assert len(children(server)) == 2
    assert httpx2.get(url + "/v2/health/live").status_code == 200
    workers = children(server)
    server.send_signal(signal.SIGTERM)
    said(server, "Stopped")
    assert server.wait(60) == 0
    assert not any(os.path.exists(f"/proc/{pid}") for pid in workers)
