"""A network, data, a defense and an attack of one's own, from the command to the report."""

import os
import subprocess
import sys

import pytest

from mixcon.registry import ALLOWED

pytestmark = pytest.mark.smoke

MINE = {
    "__init__.py": "",
    "nets.py": """
from torch import nn

class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
    def forward(self, x):
        return x + self.conv(x).relu()

def residual(shape, classes):
    return nn.Sequential(
        nn.Conv2d(shape[0], 4, 5, stride=4), Block(4), nn.Flatten(), nn.Linear(144, classes)
    )
""",
    "data.py": """
from mixcon.data import Splits, load

def few():
    whole = load("digits")
    return Splits(whole.train.take(slice(200)), whole.test.take(slice(60)))

def wrong():
    return 7
""",
    "parts.py": """
from mixcon.defenses import Penalty

class Shrink(Penalty):
    def cost(self, batch):
        return batch.raw.square().mean()
""",
    "attacks.py": """
from dataclasses import dataclass
from mixcon.attacks import Attack, WhiteBox

@dataclass(frozen=True)
class Gray(Attack[WhiteBox]):
    name = "gray"
    needs = WhiteBox
    steps: int = 1
    def _fit(self, knowledge, on_step):
        return lambda z, on_step: z.new_full((len(z), *knowledge.shape), 0.5)
""",
}


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "mine").mkdir()
    for name, text in MINE.items():
        (tmp_path / "mine" / name).write_text(text)
    return tmp_path


def run(*words, folder, **environment):
    clean = {k: v for k, v in os.environ.items() if k != ALLOWED}
    return subprocess.run(
        [sys.executable, "-P", "-m", "mixcon", *map(str, words)],
        capture_output=True, text=True, cwd=folder, timeout=300, check=False,
        env={**clean, **environment},
    )  # fmt: skip


def test_own_code_is_trained_and_audited(mine):
    done = run(
        "train", "--network", "mine.nets:residual", "--cut", "1", "--data", "mine.data:few",
        "--defense", "mine.parts:Shrink(weight=0.1) + gaussian(sigma=0.1)", "--epochs", 1,
        "--out", "run", "--accelerator", "cpu", folder=mine,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    audit = ["audit", "run", "--attack", "mine.attacks:Gray", "--victims", 5, "--quick"]
    # The attack was typed, and its package is that of the run: nothing else is asked.
    done = run(*audit, folder=mine)
    assert done.returncode == 0, done.stderr
    assert "gray" in done.stderr


def test_a_run_folder_alone_allows_nothing(mine):
    trained = ["train", "--network", "mine.nets:residual", "--cut", "1", "--data", "digits[:100]",
               "--epochs", 1, "--out", "run", "--accelerator", "cpu"]  # fmt: skip
    assert run(*trained, folder=mine).returncode == 0
    audit = ["audit", "run", "--attack", "rmle-paper", "--victims", 2, "--budget", 0.01, "--quick"]
    done = run(*audit, folder=mine)
    assert done.returncode == 2
    assert "allow" in done.stderr
    assert "Traceback" not in done.stderr
    assert run(*audit, folder=mine, **{ALLOWED: "mine"}).returncode == 0


def test_a_loader_that_returns_something_else_is_named(mine):
    done = run("train", "--data", "mine.data:wrong", "--epochs", 1, folder=mine)
    assert done.returncode == 2
    assert "returns mixcon.data.Splits" in done.stderr
