"""Data sets by name; adding one is a file, or a row in `hub`, and a line here."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from mixcon.data.census import census
from mixcon.data.decode import resized
from mixcon.data.digits import digits
from mixcon.data.hub import HUB_SETS, HubSet
from mixcon.data.image_folder import folder
from mixcon.data.labeled import LabeledSet, Splits
from mixcon.data.messages import messages
from mixcon.data.names import FOLDER, absolute, title
from mixcon.data.notes import note
from mixcon.data.spoken_digits import spoken_digits
from mixcon.data.synthetic import synthetic
from mixcon.data.tables import breast_cancer, diabetes, wine
from mixcon.data.tones import tones
from mixcon.errors import ConfigError
from mixcon.kinds import Kind
from mixcon.registry import Registry

__all__ = ["SOURCES", "load"]

_FAR_APART = 1000.0  # times one spread is another, from which on columns need one scale


def _hub(entry: HubSet, data_dir: Path | None, seed: int) -> Splits:
    return entry.load(data_dir)


SOURCES: Registry[Callable[..., Splits]] = Registry(
    "data",
    {
        "digits": lambda data_dir, seed: digits(),
        "synthetic": lambda data_dir, seed: synthetic(seed),
        "synthetic-clean": lambda data_dir, seed: synthetic(seed, flip_test=False),
        "tones": lambda data_dir, seed: tones(seed),
        "breast_cancer": lambda data_dir, seed: breast_cancer(),
        "wine": lambda data_dir, seed: wine(),
        "diabetes": lambda data_dir, seed: diabetes(),
        "census": lambda data_dir, seed: census(seed),
        "messages": lambda data_dir, seed: messages(seed),
        "spoken_digits": lambda data_dir, seed: spoken_digits(data_dir),
        **{name: partial(_hub, entry) for name, entry in HUB_SETS.items()},
    },
)


def load(
    name: str, *, data_dir: Path | None = None, seed: int = 0, resize: int | None = None
) -> Splits:
    """A data set by name.

    Args:
        name: in `SOURCES`; ``folder:PATH`` for a folder of labeled images; or
            ``package.module:name`` of a function that returns `Splits`, called without arguments
            or with the data folder and the seed. Followed by ``[:N]`` only the first N samples of
            each part, e.g. ``mnist[:10000]``.
        data_dir: folder with one subfolder of Parquet files a set; default ``MIXCON_DATA``, and
            without either the Hugging Face hub.
        seed: draws the synthetic sets; the others are fixed.
        resize: width and height to bring every image to, bilinearly and without keeping the
            proportions; as it is by default.

    Raises:
        ConfigError: unknown name, or `resize` of what are no images.
        DataError: the set is missing, damaged or does not fit.
    """
    sliced = re.fullmatch(r"(.+)\[:(\d+)\]", name)
    if sliced:
        whole = load(sliced[1], data_dir=data_dir, seed=seed, resize=resize)
        return _each(whole, lambda part: _first(part, int(sliced[2])))
    if name.startswith(FOLDER):
        return folder(Path(absolute(name).removeprefix(FOLDER)), resize)
    if not SOURCES.has(name):
        near = difflib.get_close_matches(name, SOURCES, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise ConfigError(
            f"expected a data set out of {', '.join(SOURCES)} folder:PATH or package.module:name, "
            f"but got '{name}'{hint}"
        )
    whole = _called(SOURCES.find(name), name, data_dir, seed)
    return whole if resize is None else _each(whole, lambda part: _resized(part, resize))


def _called(source: Callable[..., Splits], name: str, data_dir: Path | None, seed: int) -> Splits:
    wanted = len(inspect.signature(source).parameters)
    found = source(*(data_dir, seed)[:wanted])
    if not isinstance(found, Splits):
        raise ConfigError(
            f"'{name}': expected a function that returns mixcon.data.Splits, but got "
            f"{type(found).__name__}"
        )
    _note_scales(found.train)
    return found


def _note_scales(part: LabeledSet) -> None:
    """Say that a network and an audit would see the loudest columns of vectors alone."""
    if part.kind is not Kind.VECTOR or len(part) < 2:
        return
    spreads = part.inputs.double().std(0)
    spreads = spreads[spreads > 0]
    if len(spreads) > 1 and spreads.max() > _FAR_APART * spreads.min():
        note(
            f"{part.name}: the spread of one column is {spreads.max() / spreads.min():.2g} times "
            "that of another; bring them to one scale, or the loudest decides alone"
        )


def _each(whole: Splits, change: Callable[[LabeledSet], LabeledSet]) -> Splits:
    return Splits(change(whole.train), change(whole.test))


def _resized(part: LabeledSet, side: int) -> LabeledSet:
    if part.kind is not Kind.IMAGE:
        raise ConfigError(
            f"expected images to resize, but {part.name} has {part.kind.plural}; drop --resize"
        )
    return replace(
        part,
        name=title(part.name, side),
        inputs=torch.from_numpy(resized(part.inputs.numpy(), side)),
    )


def _first(part: LabeledSet, count: int) -> LabeledSet:
    return replace(part.take(slice(count)), name=f"{part.name}[:{count}]")
