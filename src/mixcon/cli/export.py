"""mixcon export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixcon.cli._allow import AllowCode
from mixcon.cli._console import command, interruptible, say, working
from mixcon.cli._data_dir import DataDir
from mixcon.cli._output import Json, Quiet, print_json
from mixcon.training import RunFolder

if TYPE_CHECKING:
    from mixcon.serving import Contract

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
    sequence: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Number of the contract: who has used a higher one of this name refuses it "
            "(default: one more than the last export here, if anything changed)",
        ),
    ] = None,
    valid_days: Annotated[
        int | None,
        typer.Option(min=1, help="Days until the contract expires (default: never)"),
    ] = None,
    device_format: Annotated[
        str,
        typer.Option(
            help="onnx, or executorch for an ExecuTorch program (edge/encoder.pte) beside it."
        ),
    ] = "onnx",
    data_dir: DataDir = None,
    allow_code: AllowCode = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the two halves of a trained model: one folder for devices, one for the cloud.

    Both carry the same signed contract: shapes, wire formats, hashes, and what the audit found.
    No weight of the encoder is in the cloud's folder.

    Example: mixcon export runs/m --out deploy
    """
    from mixcon.serving import export_run  # noqa: PLC0415  needs the extra `serve`
    from mixcon.serving.device_formats import checked_format  # noqa: PLC0415
    from mixcon.serving.signing import DEFAULT_KEY  # noqa: PLC0415

    folder = out or run / "export"
    own = ",".join(RunFolder(run).config.packages)  # no run folder: say so before anything else
    with interruptible("Run the same command again."), working("Exporting to ONNX ..."):
        done = export_run(
            run,
            folder,
            name=name,
            report=report,
            key=key or DEFAULT_KEY,
            data_dir=data_dir,
            sequence=sequence,
            valid_days=valid_days,
            device_format=checked_format(device_format),
        )
    audit = done.contract.audit
    again = command("audit", run, data_dir=data_dir, allow_code=own)
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
            f"{again} and export again"
        )
    for line in (
        f"{done.contract.name}, {_number(done.contract)}: ONNX Runtime is within "
        f"{done.difference:.1e} of PyTorch",
        found,
        f"for devices: {folder / 'edge'}",
        f"for the cloud: {folder / 'cloud'}",
        f"to trust both: {folder / 'public-key.pem'}",
        *([f"Next: {command('serve', folder / 'cloud', trust=trust)}"] if audit else []),
    ):
        say(line)
    if as_json:
        contract = done.contract.model_dump(mode="json")
        print_json({"folder": folder, "difference": done.difference, "contract": contract})


def _number(contract: Contract) -> str:
    until = f" until {contract.expires:%Y-%m-%d %H:%M} UTC" if contract.expires else ""
    return f"contract {contract.sequence}{until}"
