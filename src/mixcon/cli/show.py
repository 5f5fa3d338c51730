"""mixcon show."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from mixcon._files import check_writable
from mixcon.cli._allow import AllowCode
from mixcon.cli._console import interruptible, overall_progress, say, working
from mixcon.cli._data_dir import DataDir
from mixcon.cli._digits_runs import code_of, plain_and_paper, train_on_digits
from mixcon.cli._runs import common_data
from mixcon.training import RunFolder

__all__ = ["show"]

_BITS = (8, 4, 16, 32)  # the first is shown at first


def show(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Run folders of mixcon train on one set of images, the undefended one first. Runs "
            "that differ in a single number of the defense share a card with a dial. Without any, "
            "small models are trained on bundled handwriting, and kept."
        ),
    ] = None,
    steps: Annotated[
        int,
        typer.Option(min=1, help="Training steps of each decoder that the curious cloud fits."),
    ] = 300,
    host: Annotated[
        str,
        typer.Option(help="Address to listen on; there is no encryption and no password."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8088,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
    out: Annotated[
        Path,
        typer.Option(
            help="Folder that keeps models and exports; with mixcon demo's, its models are reused."
        ),
    ] = Path("mixcon-demo"),
    data_dir: DataDir = None,
    allow_code: AllowCode = None,
) -> None:
    """Draw a digit, and see what a curious cloud makes of the bytes that leave your browser.

    Starts the real split and opens one page. The encoder runs in the page, the head behind a real
    server here; the drawing itself never leaves the page. Side by side for each model: the bytes,
    the label that comes back, and what a decoder redraws that was fitted on the cloud's own
    samples, between the best guess from the label (floor) and what is proved (bound). Works
    offline. Needs the extra `serve`: pip install mixcon[serve].

    Examples: mixcon show, or mixcon show runs/vanilla runs/mixcon runs/code
    """
    from mixcon.show import (  # noqa: PLC0415  needs the extra `serve`
        Content,
        PageServer,
        check_images,
        check_runtime,
        listen,
    )

    check_runtime()
    check_writable(out)
    listener = listen(host, port)  # taken now, so that no long work ends without a place to show it
    shown = list(runs or _trained(out))
    configs = [RunFolder(run).config for run in shown]
    with working("Reading the data ..."):
        data = common_data(configs, data_dir)
    check_images(data)
    with interruptible("Run the same command again to go on."):
        with overall_progress("show") as on_part:
            content = Content.prepare(shown, data, out / "show", steps, on_part)
        server = PageServer(content, listener, host)

    def started() -> None:
        say(f"The page is at {server.url} until Ctrl-C. Encoders run in it, heads behind it.")
        if browser:
            webbrowser.open(server.url)

    server.run(started)


def _trained(out: Path) -> list[Path]:
    runs = [train_on_digits(defense, out) for defense in (*plain_and_paper(), code_of(_BITS[0]))]
    names = {bits: f"code+unicon-{bits}" for bits in _BITS[1:]}
    return runs + [train_on_digits(code_of(bits), out, name) for bits, name in names.items()]
