"""The front door: what `import mixcon` gives, and that its examples hold."""

import ast
import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import mixcon
import mixcon.data
import mixcon.serving

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


def loaded(code, names):
    code = f"import sys\n{code}\nprint([n for n in {names} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_importing_loads_nothing_before_it_is_asked_for():
    code = "import mixcon, mixcon.cli, mixcon.data, mixcon.serving"
    assert loaded(code, ("torch", "numpy", "onnxruntime")) == "[]\n"


def test_importing_loads_nothing_slow_beside_torch():
    """Each would cost as much again: they are imported where they are needed."""
    slow = ("datasets", "lightning_fabric", "optuna", "pandas", "scipy", "sklearn")
    code = "import mixcon\nfor name in mixcon.__all__: getattr(mixcon, name)"
    assert loaded(code, slow) == "[]\n"


def test_lightning_comes_without_torchmetrics_which_stays_importable():
    pytest.importorskip("torchmetrics", reason="pip install '.[lpips]'")
    code = "from mixcon._lightning import Fabric"
    assert loaded(code, ("lightning_fabric", "torchmetrics")) == "['lightning_fabric']\n"
    assert loaded(f"{code}\nimport torchmetrics", ("torchmetrics",)) == "['torchmetrics']\n"


@pytest.mark.parametrize("package", [mixcon, mixcon.data, mixcon.serving])
def test_names_on_demand_are_those_that_type_checkers_see(package):
    tree = ast.parse(Path(package.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {node.module: [ast.unparse(name) for name in node.names] for node in block.body}
    (call,) = [node.value for node in block.orelse]
    assert ast.literal_eval(call.args[1]) == seen
    names = {name.rpartition(" ")[2] for names in seen.values() for name in names}
    assert names == set(package.__all__) <= set(dir(package))
    # A submodule of the same name would take the place of the name once it is imported.
    assert not names & {name for _, name, _ in pkgutil.iter_modules(package.__path__)}


def test_submodules_are_found_and_typing_mistakes_are_not():
    assert mixcon.metrics.ssim
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        mixcon.trian  # noqa: B018
