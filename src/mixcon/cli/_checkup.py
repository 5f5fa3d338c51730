"""What `mixcon doctor` looks at: facts of this machine, each with the cure where one is needed."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import mixcon
from mixcon._cores import cores
from mixcon._extras import EXTRAS, missing
from mixcon._files import check_writable
from mixcon._places import cache_folder, state_folder

__all__ = ["Finding", "checkup"]


@dataclass(frozen=True)
class Finding:
    """One fact.

    Attributes:
        section: installation, devices, data, folders or extras.
        name: what was looked at.
        found: what was found.
        state: ``ok``; ``off``, where something optional is not there; ``bad``, where it is broken.
        cure: what to do about it.
    """

    section: str
    name: str
    found: str
    state: Literal["ok", "off", "bad"] = "ok"
    cure: str = ""


def checkup() -> Iterator[Finding]:
    """All findings, in the order in which they are shown."""
    yield from _installation()
    yield from _devices()
    yield _data()
    yield from _folders()
    yield from _extras()


def _installation() -> Iterator[Finding]:
    section, where = "installation", Path(mixcon.__file__).parent
    yield Finding(section, "mixcon", f"{version('mixcon')} in {where}")
    yield Finding(section, "Python", f"{platform.python_version()} in {sys.prefix}")
    yield Finding(section, "system", platform.platform())
    if find_spec("torch") is None:
        yield Finding(
            section, "torch", "not installed", "off", "to train and audit: " + _install("train")
        )
        return
    try:
        import torch  # noqa: PLC0415
    except Exception as error:  # a broken installation can raise anything
        words = " ".join(f"{type(error).__name__}: {error}".split())
        yield Finding(section, "torch", f"does not import ({words})", "bad", "install it again")
        return
    yield Finding(section, "torch", f"{torch.__version__}, {torch.get_num_threads()} threads")


def _devices() -> Iterator[Finding]:
    section = "devices"
    yield Finding(section, "CPU", f"{cores()} cores, {_memory():.0f} GiB")
    torch = sys.modules.get("torch")
    if torch is None:
        return
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("Apple mps")
    if names:
        yield from (Finding(section, f"accelerator {i}", name) for i, name in enumerate(names))
    else:
        yield Finding(section, "accelerator", "none that torch can use", "off")


def _memory() -> float:
    """GiB of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _data() -> Finding:
    section, name = "data", "MIXCON_DATA"
    named = os.environ.get(name)
    if not named:
        return Finding(section, name, "not set: data come from the Hugging Face hub", "off")
    folder = Path(named)
    if not folder.is_dir():
        cure = "name a folder with one subfolder of Parquet files a set"
        return Finding(section, name, f"{folder} is no folder", "bad", cure)
    sets = sorted(path.name for path in folder.iterdir() if any(path.rglob("*.parquet")))
    return Finding(section, name, f"{folder}: {', '.join(sets) or 'no Parquet files'}")


def _folders() -> Iterator[Finding]:
    for name, folder in (("cache", cache_folder()), ("state", state_folder())):
        try:
            check_writable(folder)
        except OSError as error:
            cure = f"name another in MIXCON_{name.upper()}"
            yield Finding("folders", name, f"{folder}: {error.strerror}", "bad", cure)
        else:
            yield Finding("folders", name, str(folder))
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    yield Finding("folders", "free here", f"{free:.0f} GiB")


def _extras() -> Iterator[Finding]:
    for extra in EXTRAS:
        if lacking := missing(extra):
            yield Finding("extras", extra, f"without {', '.join(lacking)}", "off", _install(extra))
        else:
            yield Finding("extras", extra, "installed")


def _install(extra: str) -> str:
    return f"pip install 'mixcon[{extra}]'"
