"""mixcon infer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import numpy as np
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mixcon._extras import check_extra
from mixcon.cli._allow import AllowCode, allow_typed
from mixcon.cli._console import console, interruptible, say, warn
from mixcon.cli._data_dir import DataDir
from mixcon.errors import ConfigError

if TYPE_CHECKING:
    from mixcon.serving import Contract, EdgeClient, Predictions, Wire

__all__ = ["infer"]

_SERVER = "Server"
_TEST = "Test samples instead of images"

Item = tuple[str, Any, str | None]  # name, image or array, true label if known


def infer(
    images: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files or folders; - for standard input: one image, or a list of files."
        ),
    ] = None,
    edge: Annotated[Path, typer.Option(help="The edge folder of mixcon export.")] = Path("edge"),
    url: Annotated[
        str, typer.Option(help="The server.", rich_help_panel=_SERVER)
    ] = "http://127.0.0.1:8080",
    trust: Annotated[
        Path | None,
        typer.Option(
            envvar="MIXCON_TRUSTED_KEY",
            help="Public key of who exported it (default: the key of this machine's exports)",
        ),
    ] = None,
    max_excess: Annotated[
        float | None,
        typer.Option(
            help="Refuse a model whose audit does not show that it leaks at most so much, as "
            "mixcon serve does (default: take any, and say what is not known)"
        ),
    ] = None,
    max_bits: Annotated[
        float | None,
        typer.Option(
            help="Refuse a model unless one release is proved to tell at most so many bits "
            "(default: ask for no proof)"
        ),
    ] = None,
    max_bits_per_day: Annotated[
        float | None,
        typer.Option(
            help="Send nothing that would tell more bits of a user in a day (UTC), by what is "
            "proved of one release; what was answered before is not sent again (default: count "
            "nothing)"
        ),
    ] = None,
    user: Annotated[str, typer.Option(help="Whose bits these are, for --max-bits-per-day.")] = "",
    wire: Annotated[
        str | None,
        typer.Option(help="float32, float16, int8 or int4 (default: as the contract says)"),
    ] = None,
    device_format: Annotated[
        str, typer.Option(help="onnx or executorch: which of the export's encoders to run.")
    ] = "onnx",
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines instead of a table.")] = False,
    resize: Annotated[
        bool,
        typer.Option("--resize", help="Resize images of another size, even if training did not."),
    ] = False,
    token: Annotated[
        str | None,
        typer.Option(envvar="MIXCON_TOKEN", help="Bearer token.", rich_help_panel=_SERVER),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option(help="PEM authority of the server's certificate.", rich_help_panel=_SERVER),
    ] = None,
    cert: Annotated[
        Path | None,
        typer.Option(help="PEM certificate of this device.", rich_help_panel=_SERVER),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="PEM key of --cert.", rich_help_panel=_SERVER)
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="What the server calls the model (default: as the contract)",
            rich_help_panel=_SERVER,
        ),
    ] = None,
    batch: Annotated[
        int, typer.Option(min=1, help="Images in one request.", rich_help_panel=_SERVER)
    ] = 64,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds for one try.", rich_help_panel=_SERVER)
    ] = 10.0,
    retries: Annotated[
        int,
        typer.Option(
            min=0,
            help="Tries again while the server is away or busy; 8 outlast a restart.",
            rich_help_panel=_SERVER,
        ),
    ] = 8,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure",
            help="Allow http:// to another machine: all on the way can read what is sent.",
            rich_help_panel=_SERVER,
        ),
    ] = False,
    proxy: Annotated[
        bool,
        typer.Option(
            "--proxy",
            help="Use the proxies of the environment (HTTPS_PROXY and the like).",
            rich_help_panel=_SERVER,
        ),
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(
            help="Copy what is sent to this file, with a hash of each input, for mixcon audit "
            "--wire."
        ),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="A data set's test samples.", rich_help_panel=_TEST)
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            help="The test samples of this run folder, which its own seed may have drawn: those "
            "that mixcon audit --wire attacks.",
            rich_help_panel=_TEST,
        ),
    ] = None,
    allow_code: AllowCode = None,
    victims: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Only as many, those that mixcon audit attacks with the same --seed "
            "(default: all)",
            rich_help_panel=_TEST,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws them.", rich_help_panel=_TEST)] = 0,
    data_dir: DataDir = None,
) -> None:
    """Classify images: the encoder runs here, only its output is sent.

    Prints a label and its confidence for each image, in order. The server must serve the same
    contract.

    Example: mixcon infer --edge deploy/edge --url https://cloud.example photos/
    """
    from mixcon.serving import EdgeClient, Endpoint  # noqa: PLC0415  needs the extra `serve`
    from mixcon.serving.gate import reservations  # noqa: PLC0415
    from mixcon.serving.images import find  # noqa: PLC0415
    from mixcon.serving.signing import DEFAULT_TRUST  # noqa: PLC0415

    if sum(map(bool, (images, data, run))) != 1:
        raise ConfigError("expected images, or --data, or --run, and one of them alone")
    allow_typed(data or "")
    if data or run:
        check_extra("train")  # a device needs no data sets
    found: Sequence[Item] = (
        _named(find(images)) if images else []
    )  # what is missing shows before the server
    endpoint = Endpoint(
        url,
        model=model,
        token=token,
        authority=ca,
        certificate=cert,
        key=key,
        timeout=timeout,
        retries=retries,
        insecure=insecure,
        proxy=proxy,
        notify=say,
    )
    with EdgeClient(
        edge,
        endpoint,
        trust=trust or DEFAULT_TRUST,
        wire=cast("Wire | None", wire),  # checked there
        batch=batch,
        record=record,
        max_excess=max_excess,
        max_bits=max_bits,
        max_bits_per_day=max_bits_per_day,
        device_format=device_format,
    ) as client:
        client.check()
        if unknown := reservations(client.contract):
            warn(unknown)
        if not client.identified:
            say("note: the server does not say which contract it serves; names and shapes agree")
        side = _side(client.contract, always=resize)
        if data or run:
            found = _samples(data, run, data_dir, side, victims, seed)
        _run(client, found, batch, user, resize=resize, as_json=as_json)


def _run(
    client: EdgeClient,
    items: Sequence[Item],
    batch: int,
    user: str,
    *,
    resize: bool,
    as_json: bool,
) -> None:
    from mixcon.serving.images import prepare  # noqa: PLC0415

    show = _json if as_json else _row
    right = 0
    with (
        interruptible("What was printed is answered."),
        Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        ) as bars,
    ):
        task = bars.add_task("Asking", total=len(items))
        for part in _parts(items, batch):
            inputs = [
                x if isinstance(x, np.ndarray) else prepare(n, x, client.contract, resize=resize)
                for n, x, _ in part
            ]
            found = client.infer(np.stack(inputs), user)
            for i, (name, _, label) in enumerate(part):
                right += found.labels[i] == label
                show(name, found, i)
            bars.advance(task, len(part))
    _sum_up(client, len(items), right if items and items[0][2] is not None else None)


def _sum_up(client: EdgeClient, count: int, right: int | None) -> None:
    each = f", {client.bytes_sent / count:,.0f} each" if count else ""
    say(f"{count} answered; sent {client.bytes_sent:,} bytes{each}, as {client.wire}")
    if right is not None:
        say(f"accuracy {right / count:.2%}")


def _named(found: Sequence[tuple[str, Any]]) -> list[Item]:
    return [(name, image, None) for name, image in found]


def _side(contract: Contract, *, always: bool) -> int | None:
    """The side to resize a data set's images to, as in training."""
    return contract.input.shape[-1] if always or contract.preprocessing.resize else None


def _samples(
    data: str | None,
    run: Path | None,
    data_dir: Path | None,
    resize: int | None,
    victims: int | None,
    seed: int,
) -> Sequence[Item]:
    """Test samples and their labels, of a data set or of a run; they need torch."""
    from mixcon.cli._test_samples import labeled, test_set  # noqa: PLC0415

    return labeled(test_set(data, run, data_dir, resize), victims, seed)


def _parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _row(name: str, found: Predictions, i: int) -> None:
    typer.echo(f"{found.labels[i]:<12} {found.confidences[i]:>7.1%}  {name}")


def _json(name: str, found: Predictions, i: int) -> None:
    record = {
        "input": name,
        "label": found.labels[i],
        "confidence": round(float(found.confidences[i]), 6),
    }
    typer.echo(json.dumps(record))
