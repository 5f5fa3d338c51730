"""mixcon export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixcon.cli._console import command, console, interruptible, working

__all__ = ["export"]


def export(
    run: Annotated[Path, typer.Argument(help="Run folder of mixcon train.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the export (default: RUN/export)")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="What servers call the model (default: DATA-NETWORK-DEFENSE)"),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="report.json of an audit (default: RUN/audit/report.json, if any)"),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            envvar="MIXCON_SIGNING_KEY",
            help="Ed25519 key that signs, made if missing "
            "(default: ~/.config/mixcon/signing-key.pem)",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(envvar="MIXCON_DATA", help="Folder of local Parquet files.")
    ] = None,
) -> None:
    """Write the two halves of a trained model: one folder for devices, one for the cloud.

    Both carry the same signed contract: shapes, wire formats, hashes, and what the audit found.
    No weight of the encoder is in the cloud's folder.

    Example: mixcon export runs/m --out deploy
    """
    from mixcon.serving import export_run  # noqa: PLC0415  needs the extra `serve`
    from mixcon.serving.signing import DEFAULT_KEY  # noqa: PLC0415

    folder = out or run / "export"
    with interruptible("Run the same command again."), working("Exporting to ONNX ..."):
        done = export_run(
            run, folder, name=name, report=report, key=key or DEFAULT_KEY, data_dir=data_dir
        )
    audit = done.contract.audit
    again = command("audit", run, data_dir=data_dir)
    trust = None if key in (None, DEFAULT_KEY) else folder / "public-key.pem"
    found = (
        f"audit: accuracy {audit.accuracy:.1%}, excess leakage {audit.excess:.3f} "
        f"({audit.metric} {audit.leakage:.3f} over {audit.floor:.3f})"
        if audit
        else f"no audit: mixcon serve will refuse it; run {again} and export again"
    )
    doubts = "; ".join(audit.flaws) if audit else ""
    if doubts:
        found += (
            f"\nwarning: mixcon serve will refuse it, for this audit is no proof: {doubts}; run "
            f"mixcon audit {run} and export again"
        )
    for line in (
        f"{done.contract.name}: ONNX Runtime is within {done.difference:.1e} of PyTorch",
        found,
        f"for devices: {folder / 'edge'}",
        f"for the cloud: {folder / 'cloud'}",
        f"to trust both: {folder / 'public-key.pem'}",
        *([f"Next: {command('serve', folder / 'cloud', trust=trust)}"] if audit else []),
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
