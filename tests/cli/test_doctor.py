"""`mixcon doctor`: facts of this machine, and what is broken."""

import json
import os
import subprocess
import sys

import torch


def doctor(*words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "mixcon", "doctor", *words], env={**os.environ, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_sound_machine(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "train-0.parquet").touch()
    done = doctor("--json", MIXCON_DATA=str(tmp_path))
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["ok"]
    found = {(f["section"], f["name"]): f for f in outcome["findings"]}
    assert torch.__version__ in found["installation", "torch"]["found"]
    assert found["data", "MIXCON_DATA"]["found"] == f"{tmp_path}: mine"
    assert found["extras", "train"]["state"] == "ok"
    assert {section for section, _ in found} >= {"installation", "devices", "folders"}


def test_what_is_broken_is_named_with_the_cure(tmp_path):
    (tmp_path / "torch.py").write_text("raise OSError('libcudart.so: no such file')\n")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    cache = tmp_path / "torch.py" / "cache"
    done = doctor(MIXCON_DATA=str(tmp_path / "gone"), PYTHONPATH=path, MIXCON_CACHE=str(cache))
    assert done.returncode == 1
    lines = [line for line in done.stdout.splitlines() if line.startswith("  bad")]
    torch_line, data_line, cache_line = lines
    assert "libcudart.so: no such file" in torch_line
    assert "is no folder; name a folder with one subfolder of Parquet files a set" in data_line
    assert "MIXCON_CACHE" in cache_line
