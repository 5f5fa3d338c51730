"""`mixcon` itself: its help, its version, and how verbs are found."""

import re
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
import typer

import mixcon.cli
from mixcon._extras import EXTRAS
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


def brought(extras, name):
    """The distributions of an extra, those of the extras in it included."""
    found = set()
    for text in extras[name]:
        own = re.fullmatch(r"mixcon\[(.*)\]", text)
        inner = [brought(extras, each) for each in own[1].split(",")] if own else []
        found |= set().union(*inner) if own else {re.match(r"[\w.-]+", text)[0]}
    return found


def test_extras_bring_what_their_commands_ask_for():
    """Every module asked for comes in some package of the extra, as the packages here tell."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    homes = {
        module: {canonical(name) for name in names}
        for module, names in packages_distributions().items()
    }
    for extra, modules in EXTRAS.items():
        inside = {canonical(name) for name in brought(project["optional-dependencies"], extra)}
        for module in set(modules) & set(homes):
            assert homes[module] & inside, (extra, module)
    for slim in ("edge", "cloud"):
        assert "torch" not in brought(project["optional-dependencies"], slim)


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()
