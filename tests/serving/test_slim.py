"""Devices and clouds run without torch: real processes in which it cannot be imported."""

import json
import os
import re
import subprocess
import sys

import pytest
from PIL import Image
from tests.started import started

HIDDEN = ("torch", "plotly", "scipy", "pyarrow", "datasets", "sklearn")


@pytest.fixture(scope="module")
def slim(tmp_path_factory):
    """An environment whose imports of heavy packages fail as if they were not installed."""
    folder = tmp_path_factory.mktemp("hidden")
    for name in HIDDEN:
        (folder / f"{name}.py").write_text(f"raise ModuleNotFoundError('hidden', name='{name}')\n")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}


def python(code, slim):
    return subprocess.run(
        [sys.executable, "-c", code], env=slim, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("name", "most"), [("EdgeClient", 110), ("CloudServer", 120)])
def test_a_half_is_small(slim, name, most):
    """Resident memory in MiB, of Linux, where 74 to 93 were seen; torch alone takes over 200."""
    done = python(
        f"from mixcon.serving import {name}\n"
        "import re, time\n"
        "used = int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1024\n"
        "print(used, time.process_time())",
        slim,
    )
    assert done.returncode == 0, done.stderr
    used, seconds = map(float, done.stdout.split())
    assert used <= most
    assert seconds < 5  # torch alone takes about 2 on the same machine, beside other work more


def test_onnx_runtime_keeps_no_identifier_and_reports_nothing(slim, plain_export, tmp_path):
    """From 1.29 on it writes both below the home folder as soon as it is imported."""
    told = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "XDG_CACHE_HOME")
    alone = {name: value for name, value in slim.items() if name not in told}
    done = python(
        "from pathlib import Path\n"
        "from mixcon.serving.runtime import session\n"
        f"session(Path({str(plain_export.folder / 'cloud/head.onnx')!r}).read_bytes())",
        {**alone, "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_command_serves_and_infers(slim, plain_export, trust, digits, tmp_path):
    picture = tmp_path / "digit.png"
    Image.fromarray(digits.test.inputs[0, 0].numpy()).save(picture)
    cloud = ["serve", plain_export.folder / "cloud", "--trust", trust, "--port", 0, "--unaudited"]
    with started(*cloud, env=slim) as process:
        shown = ""
        while not (found := re.search(r" at (http://[\d.:]+)", shown)):
            line = process.stderr.readline()
            assert line, shown
            shown += line
        done = subprocess.run(
            [sys.executable, "-m", "mixcon", "infer", "--edge", plain_export.folder / "edge",
             "--trust", trust, "--url", found[1], "--json", picture],
            env=slim, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["label"] in plain_export.contract.classes


def test_what_needs_torch_names_the_extra(slim):
    for code in ("import mixcon; mixcon.train", "from mixcon.serving import export_run"):
        done = python(code, slim)
        assert "pip install 'mixcon[train]'" in done.stderr
        assert "ConfigError: expected torch, which one of the extras train, serve brings" in (
            done.stderr
        )
