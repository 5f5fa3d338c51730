"""Network, data, defense, channel and attack of one's own, through every verb, not a line here."""

import json
import os
import re
import sys

import pytest
from tests.commands import run_command
from tests.started import started

from mixcon.cli import app
from mixcon.errors import ConfigError
from mixcon.registry import ALLOWED
from mixcon.sweep import SweepConfig, SweepFolder
from mixcon.training import read_config

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
        nn.Conv2d(shape[0], 4, 5, stride=4), Block(4), nn.Flatten(), nn.LazyLinear(classes)
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
from mixcon.channels import Channel
from mixcon.defenses import Penalty

class Shrink(Penalty):
    def cost(self, batch):
        return batch.raw.square().mean()

class Halve(Channel):
    draws = "normal"
    def __init__(self, sigma=0.1):
        super().__init__()
        self.sigma = sigma
    def transform(self, z, noise):
        return z / 2 + self.sigma * noise
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


DEFENSE = "mine.parts:Shrink(weight={}) + mine.parts:Halve(sigma=0.01)"
TRAIN = ["--network", "mine.nets:residual", "--cut", "1", "--data", "mine.data:few",
         "--epochs", 1, "--accelerator", "cpu"]  # fmt: skip
ALLOW = ["--allow-code", "mine"]


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A folder with the package ``mine`` in it, and a run that was trained with it."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine").mkdir()
    for name, text in MINE.items():
        (folder / "mine" / name).write_text(text)
    done = run("train", *TRAIN, "--defense", DEFENSE.format(0.1), "--out", "run", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "mixcon audit run --allow-code=mine" in done.stderr
    return folder


def environment(folder):
    clean = {k: v for k, v in os.environ.items() if k not in {ALLOWED, "MIXCON_DATA"}}
    return {**clean, "HOME": str(folder), "PYTHONUNBUFFERED": "1"}


def run(*words, folder):
    return run_command(*words, cwd=folder, env=environment(folder))


@pytest.fixture
def here(mine, monkeypatch):
    """The same folder as that of this process, which has imported nothing of it yet."""
    monkeypatch.chdir(mine)
    monkeypatch.setenv(ALLOWED, "")
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield mine
    for name in [name for name in sys.modules if name.partition(".")[0] == "mine"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    "words",
    [
        ["audit", "run", "--victims", "5", "--quick"],
        ["export", "run", "--allow-code", "other"],
        ["leaderboard", "add", "run", "--board", "board"],
        ["train", "--config", "run/config.toml", "--out", "again"],
        ["sweep", "--out", "searched"],
        ["tune", "--max-excess", "0.5", "--out", "searched"],
    ],
)
def test_what_a_folder_names_is_not_imported_unasked(here, words):
    searched = SweepConfig(base=read_config(here / "run" / "config.toml"))
    SweepFolder(here / "searched").claim(searched)
    with pytest.raises(ConfigError, match="if you trust it, add --allow-code mine, or set MIXCON"):
        app(words, standalone_mode=False)
    assert "mine" not in sys.modules


def test_what_may_be_imported_is_a_package(monkeypatch):
    monkeypatch.setenv(ALLOWED, "")
    with pytest.raises(ConfigError, match="name of a package, such as mine, but got 'my/nets'"):
        app(["export", "run", "--allow-code", "mine,my/nets.py"], standalone_mode=False)


def test_an_own_attack_audits_it(mine):
    words = ["audit", "run", "--attack", "mine.attacks:Gray", "--victims", 5, "--quick"]
    done = run(*words, "--out", "gray", folder=mine)  # typed, and the package is that of the run
    assert done.returncode == 0, done.stderr
    report = json.loads((mine / "gray" / "report.json").read_text())
    assert report["models"][0]["name"] == DEFENSE.format(0.1)
    assert [record["attack"] for record in report["models"][0]["attacks"]] == ["gray"]


def test_a_sweep_searches_it_in_workers_of_its_own(here):
    """Too little training to be above chance, so that no attack of mixcon's own takes its time."""
    words = ["sweep", *TRAIN[:2], *TRAIN[4:], "--cut", "[1]", "--defense", DEFENSE.format([1]),
             "--victims", 3, "--attack", "mine.attacks:Gray", "--workers", 1,
             "--out", "s"]  # fmt: skip
    done = run(*words, folder=here)
    assert done.returncode == 0, done.stderr
    trials = json.loads((here / "s" / "report.json").read_text())["trials"]
    assert [trial["reason"] for trial in trials] == [None] * 2
    assert app(["sweep", "--out", "s", *ALLOW], standalone_mode=False) is None  # goes on with it


def test_it_is_exported_served_and_asked(mine):
    done = run("export", "run", "--out", "deploy", *ALLOW, folder=mine)
    assert done.returncode == 0, done.stderr
    serve = ["serve", "deploy/cloud", "--unaudited", "--port", 0]
    program = ("-P", "-m", "mixcon")
    with started(*serve, program=program, cwd=mine, env=environment(mine)) as server:
        url = next(found for line in server.stderr for found in re.findall(r"at (http\S+)", line))
        done = run("infer", "--edge", "deploy/edge", "--url", url, "--data", "mine.data:few",
                   "--victims", 5, folder=mine)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 5


def test_a_loader_that_returns_something_else_is_named(here):
    with pytest.raises(ConfigError, match=r"returns mixcon\.data\.Splits"):
        app(["train", "--data", "mine.data:wrong", "--out", "wrong"], standalone_mode=False)
