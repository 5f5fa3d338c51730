"""mixcon cuts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from mixcon.cli._allow import allow_typed
from mixcon.cli._console import console
from mixcon.cli._data_dir import DataDir
from mixcon.cli._options import Data, Resize
from mixcon.cli._output import Json, print_json
from mixcon.data import load
from mixcon.errors import ConfigError
from mixcon.models import NETWORKS, network_named, whole
from mixcon.split import Cut, list_cuts

__all__ = ["cuts"]


def cuts(
    network: Annotated[
        str, typer.Argument(help=f"{', '.join(NETWORKS)}, or package.module:name of your own.")
    ],
    data: Data = None,
    resize: Resize = None,
    shape: Annotated[
        str | None, typer.Option(help="Shape of a sample in place of --data, such as 3,32,32.")
    ] = None,
    classes: Annotated[
        int | None, typer.Option(min=2, help="With --shape: how many classes.")
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List the layers that a network can be cut after, what then leaves, and what each half costs.

    The bytes are those of one representation before any channel, the multiply-adds those of
    convolutions and matrix products for one sample. An asterisk marks the cut that is the default.

    Example: mixcon cuts lenet5 --data mnist
    """
    allow_typed(network, data or "")
    with console.status("Running the network once for each layer ..."):
        if data:
            samples = load(data, data_dir=data_dir, resize=resize).train
            sizes = samples.shape, len(samples.classes)
        else:
            sizes = _sizes(shape, classes)
        found = list_cuts(whole(network, *sizes), sizes[0])
    default = network_named(network).cut
    if as_json:
        print_json({"default": default, "cuts": [asdict(cut) for cut in found]})
    else:
        _show(found, default)


def _sizes(shape: str | None, classes: int | None) -> tuple[tuple[int, ...], int]:
    try:
        sizes = tuple(int(side) for side in (shape or "").split(","))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1 or classes is None:
        raise ConfigError(
            "expected --data, or --shape and --classes, for example --shape 3,32,32 --classes 10, "
            f"but got --shape {shape} and --classes {classes}"
        )
    return sizes, classes


def _show(found: Sequence[Cut], default: str) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("cut after", no_wrap=True)
    for title in ("z", "bytes", "device: parameters", "multiply-adds", "cloud: parameters"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("multiply-adds", justify="right", no_wrap=True)
    for cut in found:
        if cut.possible:
            table.add_row(cut.layer + " *" * (cut.layer == default), *_cells(cut))
    _print(table)
    refused = [cut for cut in found if not cut.possible]
    typer.echo("\nno cut after:" if refused else "")
    for cut in refused:
        typer.echo(f"{cut.layer}: {cut.reason}")


def _cells(cut: Cut) -> list[str]:
    numbers = [cut.bytes]
    for half in (cut.device, cut.cloud):
        numbers += [half.parameters, half.multiply_adds]
    return [" x ".join(map(str, cut.shape)), *(f"{number:,}" for number in numbers)]


def _print(table: Table) -> None:
    """In full, however narrow the terminal: a number that is cut off says something else."""
    console = Console(width=1000, markup=False, emoji=False)
    console.width = console.measure(table).maximum
    console.print(table)
