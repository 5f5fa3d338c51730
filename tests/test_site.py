"""The documentation: a card for every part, and blocks that do what they say."""

import inspect
import os
import re
import shlex
from pathlib import Path

import pytest
import typer
from tests.started import started
from website import cards, folders, front
from website.parts import parts

from mixcon import bounds
from mixcon.attacks import ATTACKS
from mixcon.channels import CHANNELS
from mixcon.cli import app
from mixcon.defenses import DEFENSES
from mixcon.losses import LOSSES
from mixcon.metrics import METRICS

PROJECT = Path(__file__).parents[1]
PAGES = [
    *(PROJECT / "docs").glob("*.md"),
    *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md")),
]
BLOCK = re.compile(r"^( *)```(\w+)[^\n]*\n(.*?)^ *```", re.S | re.M)
PARTS = list(parts())
LATER = {"deploy.md", "CONTRIBUTING.md"}
"""Pages with Python that is run by a test of its own, or needs a cluster."""


def blocks(page, language):
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [inspect.cleandoc(text) for _, kind, text in found if kind == language]


def commands(text):
    """The commands of mixcon in a block of shell, each as words."""
    lines = text.replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("mixcon ")]


def test_every_registered_part_has_a_card():
    named = {(part.kind, part.name) for part in PARTS}
    for registry in (LOSSES, CHANNELS, DEFENSES, ATTACKS, METRICS):
        assert {(registry.kind, name) for name in registry} <= named
    assert {("bounds", name) for name in bounds.__all__} <= named


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.kind}-{part.name}")
def test_a_card_names_source_equation_settings_and_cost(part):
    said = [cards.words_of(described) for described in part.described]
    assert any(words.source for words in said), "a line 'Source: ...' in its docstring"
    assert any(words.equations for words in said), "an indented equation in its docstring"
    assert any(words.cost for words in said), "a line 'Cost: ...' in its docstring"
    meanings = {name for words in said for name in words.meanings}
    if part.kind in ("losses", "channels", "defenses", "attacks"):
        assert {setting.name for setting in part.settings} <= meanings
    page = cards.card(part)
    assert page.startswith(f"# {part.name}\n")
    assert all(f"| `{setting.name}` | " in page for setting in part.settings)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_have_the_options_that_pages_give_them(page):
    program = typer.main.get_command(app)
    for typed in (words for text in blocks(page, "sh") for words in commands(text)):
        verb, words = program, typed
        context = program.make_context("mixcon", [*words], resilient_parsing=True)
        while isinstance(verb, typer.core.TyperGroup):
            name, verb, words = verb.resolve_command(context, words)
            context = verb.make_context(name, [*words], parent=context)


@pytest.mark.parametrize("page", [p for p in PAGES if p.name not in LATER], ids=lambda p: p.name)
def test_python_in_pages_is_executed(page):
    """By pytest, as doctests: a block without a prompt would be text alone."""
    assert all(text.startswith(">>> ") for text in blocks(page, "python"))


def test_links_to_folders_lead_to_their_index():
    there = {"a/b": "a/b/index.md", "../TOP.md": "top.md"}
    text = "[x](b) [y](../../TOP.md) [z](https://a.b/c) [w](#here) ![v](c.png) [u](b#part)"
    found = folders.relinked(text, "a/page.md", lambda path: there.get(path, path))
    assert found == text.replace("](b", "](b/index.md").replace("../../TOP", "../top")
    files = ["a/b/c.json", "a/d/README.md", "a/e.md", "a/e/f.png", "g.md", "g/h.svg"]
    assert dict(folders.unindexed(files)) == {"a": ["e.md"], "a/b": ["c.json"]}


def test_the_front_is_that_of_the_leaderboard():
    board = (PROJECT / "docs" / "leaderboard.md").read_text(encoding="utf-8")
    rows = front.front(board).splitlines()[2:]
    assert len(rows) == board.count("| front |") > 0
    assert front.MARK in (PROJECT / "docs" / "choose.md").read_text(encoding="utf-8")


@pytest.mark.smoke
def test_the_quickstart_works(tmp_path, monkeypatch, capsys):
    """Its commands in its order, with less training and an audit that is short."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIXCON_SIGNING_KEY", str(tmp_path / "key.pem"))
    monkeypatch.setenv("MIXCON_TRUSTED_KEY", str(tmp_path / "key.pub.pem"))
    monkeypatch.setenv("MIXCON_STATE", str(tmp_path / "state"))
    short = ["--victims", "4", "--quick", "--attack", "decoder", "--budget", "0.01x"]
    less = {"train": ["--epochs", "1"], "audit": short, "serve": ["--unaudited", "--port", "0"]}
    page = PROJECT / "docs" / "quickstart.md"
    steps = [words for text in blocks(page, "sh") for words in commands(text)]
    *before, serve, infer = [[*words, *less.get(words[0], [])] for words in steps]
    assert [words[0] for words in (serve, infer)] == ["serve", "infer"]
    for words in before:
        app(words, standalone_mode=False)
    assert (tmp_path / "runs" / "report" / "report.html").is_file()
    with started(*serve, cwd=tmp_path, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as server:
        url = next(found for line in server.stderr for found in re.findall(r"at (http\S+)", line))
        capsys.readouterr()
        app([*infer, "--url", url], standalone_mode=False)
    assert len(capsys.readouterr().out.splitlines()) == 5
