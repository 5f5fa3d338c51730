"""The examples, each as a user runs it, at smoke scale."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from tests.commands import run_command

pytestmark = pytest.mark.smoke

FOLDER = Path(__file__).parents[1] / "examples"
SAYS = {
    "audio": "Report: runs/audio/report/report.html",
    "edge_client": "bytes sent",
    "hugging_face_trainer": "multiplies the chance of any guess by at most 2^16",
    "lightning_callback": "leakage ",
    "pretrained_faces": "run in runs/pretrained-faces",
    "pretrained_voice": "run in runs/pretrained-voice",
    "own_training_loop": "Report: own-loop-report/report.html",
    "tabular_estimator": "excess leakage ",
    "text_transformer": "run in runs/bert-mean",
    "vision_transformer": "run in runs/vit-first",
}
"""What each prints at its end."""


@pytest.fixture
def environment(tmp_path):
    """A home of its own, and the programs beside this Python."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "HOME": str(tmp_path), "PATH": path}


def test_each_is_run_and_short():
    scripts = {path.stem: path for path in FOLDER.glob("*.py")}
    assert set(scripts) == set(SAYS)
    assert all(len(path.read_text().splitlines()) <= 80 for path in scripts.values())


@pytest.mark.parametrize("name", SAYS)
def test_it_runs(name, tmp_path, environment):
    script = FOLDER / f"{name}.py"
    result = run_command("--smoke", script=script, cwd=tmp_path, env=environment, timeout=600)
    assert result.returncode == 0, result.stderr
    assert SAYS[name] in result.stdout


def test_the_gate_stays_closed_after_too_little(tmp_path, environment):
    result = subprocess.run(
        [FOLDER / "privacy_gate.sh", "build", "--smoke"], cwd=tmp_path, env=environment,
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert result.returncode == 1, result.stderr
    assert "--fail-above excess=0.3 fails" in result.stderr
    assert (tmp_path / "build" / "report" / "report.html").is_file()
    assert not (tmp_path / "build" / "deploy").exists()


def test_the_notebook_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SMOKE", "1")
    notebook = nbformat.read(FOLDER / "first_audit.ipynb", as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}}).execute()
    printed = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert any("image/png" in output.get("data", {}) for output in printed)
