"""Names to parts: built in, of one's own modules, and what is not imported unasked."""

import sys

import pytest

from mixcon.errors import ConfigError
from mixcon.registry import ALLOWED, Registry, allow_code


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A package of somebody's own, that leaves a trace when it is imported."""
    package = tmp_path / "strange_parts"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "nets.py").write_text(
        "import pathlib\npathlib.Path(__file__).with_name('imported').touch()\n"
        "def small():\n    return 7\nclass Box:\n    inner = 8\n"
    )
    (package / "broken.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(ALLOWED, raising=False)
    yield package
    for name in [n for n in sys.modules if n.startswith("strange_parts")]:
        del sys.modules[name]


NETWORKS = Registry("networks", {"lenet5": 5, "vgg16": 16})


def test_built_in_names():
    assert NETWORKS.find("lenet5") == NETWORKS["lenet5"] == 5
    assert list(NETWORKS) == ["lenet5", "vgg16"]
    with pytest.raises(
        ConfigError, match=r"one of the networks lenet5, vgg16.*did you mean 'lenet5'"
    ):
        NETWORKS.find("lenet")


def test_code_is_not_imported_unasked(own):
    with pytest.raises(ConfigError, match="set MIXCON_ALLOW_CODE=strange_parts"):
        NETWORKS.find("strange_parts.nets:small")
    assert not (own / "imported").exists()
    allow_code("strange")
    with pytest.raises(ConfigError, match="MIXCON_ALLOW_CODE"):
        NETWORKS.find("strange_parts.nets:small")
    assert not (own / "imported").exists()


def test_allowed_code_is_found_in_the_folder_of_the_command(own):
    allow_code("strange_parts.nets:small")
    assert NETWORKS.find("strange_parts.nets:small")() == 7
    assert NETWORKS.find("strange_parts.nets:Box.inner") == 8


def test_what_the_program_has_imported_needs_no_leave(own, monkeypatch):
    monkeypatch.syspath_prepend(own.parent)
    import strange_parts.nets  # noqa: F401, PLC0415

    assert NETWORKS.find("strange_parts.nets:small")() == 7


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("strange_parts.nets:smal", "to have a smal, but it has none; did you mean 'small'"),
        ("strange_parts.nowhere:x", "No module named"),
        ("strange_parts.broken:x", "ZeroDivisionError"),
    ],
)
def test_mistakes_in_own_code_are_named(own, name, message):
    allow_code("strange_parts")
    with pytest.raises(ConfigError, match=message):
        NETWORKS.find(name)


def test_parts_of_installed_packages(tmp_path, monkeypatch):
    (tmp_path / "plug.py").write_text("net = 3\n")
    info = tmp_path / "plug-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mixcon.networks]\nplugged = plug:net\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert NETWORKS.names == ["lenet5", "vgg16", "plugged"]
    assert NETWORKS.has("plugged")
    assert NETWORKS.find("plugged") == 3
