"""`mixcon` itself: its help, its version, and how verbs are found."""

import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

import mixcon.cli
from mixcon.cli._verbs import VERBS

OURS = [path.stem for path in Path(mixcon.cli.__file__).parent.glob("[a-z]*.py")]


def run(*words, **settings):
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, **settings
    )


def test_help_groups_the_verbs_and_fits_a_screen():
    done = run("-m", "mixcon", "--help")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    for name, verb in VERBS.items():
        assert any(name in line.split() and verb.help in line for line in lines)
    assert [line.split()[0] for line in lines if line.startswith(("Start ", "Deploy "))]
    assert run("-m", "mixcon").stdout.rstrip() == done.stdout.rstrip()


def test_every_file_is_a_verb_and_loads():
    assert sorted(OURS) == sorted(VERBS)
    for name in VERBS:
        verb = getattr(import_module(f"mixcon.cli.{name}"), name)
        assert callable(verb) or isinstance(verb, typer.Typer)


def test_help_imports_nothing_heavy():
    code = (
        "import sys, mixcon.cli\n"
        "try: mixcon.cli.app(['--help'])\n"
        "except SystemExit: print([n for n in ('torch', 'numpy', 'onnx') if n in sys.modules])"
    )
    assert run("-c", code).stdout.endswith("[]\n")


def test_version():
    assert run("-m", "mixcon", "--version").stdout == f"mixcon {version('mixcon')}\n"


@pytest.mark.parametrize(
    ("typed", "meant"), [("trian", "train"), ("audti", "audit"), ("serv", "serve")]
)
def test_a_typing_mistake_gets_the_right_verb(typed, meant):
    done = run("-m", "mixcon", typed)
    assert done.returncode == 2
    assert f"Did you mean '{meant}'" in done.stderr
