"""The front door: what `import mixcon` gives, and that its examples hold."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest
import torch
from torch import nn

import mixcon

MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(mixcon.__path__, "mixcon.")
    if not name.endswith("__main__")
]


def test_every_public_name_is_there_and_documented():
    assert mixcon.__all__ == sorted(mixcon.__all__)
    for name in mixcon.__all__:
        assert getattr(mixcon, name).__doc__, name


@pytest.mark.parametrize("name", MODULES)
def test_all_names_what_exists(name):
    module = importlib.import_module(name)
    assert module.__doc__
    for public in getattr(module, "__all__", []):
        assert hasattr(module, public)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    module = importlib.import_module(name)
    failures, _ = doctest.testmod(module, extraglobs={"torch": torch, "nn": nn})
    assert failures == 0


def test_importing_loads_nothing_slow_beside_torch():
    """Each would cost as much again: they are imported where they are needed."""
    slow = ("datasets", "lightning_fabric", "optuna", "pandas", "scipy", "sklearn")
    code = f"import mixcon.cli, sys; print([n for n in {slow} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
