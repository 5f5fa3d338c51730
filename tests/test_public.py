"""The front door: what `import mixcon` gives, and that its examples hold."""

import doctest
import importlib
import pkgutil

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
