"""The steps of CONTRIBUTING, "Add a defense", done as written on a copy of the project."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import mixcon

pytestmark = pytest.mark.smoke

PROJECT = Path(__file__).parents[1]
PAGE = (PROJECT / "CONTRIBUTING.md").read_text()
SECTION = re.search(r"## Add a defense\n(.*?)\n## ", PAGE, re.S)[1]
BLOCKS = [dedent(block) for block in re.findall(r"```\w+\n(.*?)```", SECTION, re.S)]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(Path(mixcon.__file__).parent, folder / "src" / "mixcon")
    shutil.copytree(PROJECT / "tests" / "defenses", folder / "tests" / "defenses")
    shutil.copy(PROJECT / "tests" / "conftest.py", folder / "tests")
    shutil.copy(PROJECT / "pyproject.toml", folder)
    return folder


def done(command, folder):
    program, *words = shlex.split(command)
    return subprocess.run(
        [sys.executable, "-m", program, *words], cwd=folder, capture_output=True, text=True,
        timeout=300, check=False, env={**os.environ, "PYTHONPATH": str(folder / "src")},
    )  # fmt: skip


def test_the_steps_lead_to_a_defense(copy):
    module, line, commands = BLOCKS
    defenses = copy / "src" / "mixcon" / "defenses"
    (defenses / "pull.py").write_text(module)
    config = (defenses / "config.py").read_text()
    listed = config.replace('    "defenses",\n    {\n', f'    "defenses",\n    {{\n{line}')
    assert listed != config
    imported = "from mixcon.defenses.pull import Pull\n\n__all__"
    (defenses / "config.py").write_text(listed.replace("\n__all__", f"\n{imported}", 1))
    train, contract = commands.splitlines()
    trained = done(train, copy)
    assert trained.returncode == 0, trained.stderr
    assert (copy / "runs" / "digits-lenet5-pull" / "model.safetensors").is_file()
    tested = done(contract, copy)
    assert tested.returncode == 0, tested.stdout
    assert "1 passed" in tested.stdout
