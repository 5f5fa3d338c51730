"""Wire formats of one trained run: bytes, accuracy and leakage of each.

    python -m benchmarks.serving_wires RUN [--victims 100] [--seed 0]

Bytes are those of real requests. Accuracy is over all test samples, leakage over the victims, both
with the wire format as the last part of the channel, which the white-box attackers know.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from mixcon.attacks import Decoder, Refined, Rmle
from mixcon.audit import Subject, environment_of, run_audit
from mixcon.channels import Quantize
from mixcon.data import Splits
from mixcon.reports import figures_of
from mixcon.serving import WIRES, Contract, Wire, export_run
from mixcon.serving.requests import build_request
from mixcon.split import SplitModel
from mixcon.training import RunFolder, load_model


class Half(nn.Module):
    """Rounds to half precision; the gradient passes."""

    def forward(self, z: Tensor) -> Tensor:
        return z + (z.half().float() - z).detach()


def channel_of(wire: Wire, contract: Contract) -> nn.Module:
    """What a wire format does to z, as a channel."""
    if wire == "float32":
        return nn.Identity()
    if wire == "float16":
        return Half()
    scale = contract.scales[wire]
    quantize = Quantize(scale.bits)
    high = scale.low + scale.step * (2**scale.bits - 1)
    state = {"low": torch.tensor(scale.low), "high": torch.tensor(high)}
    quantize.load_state_dict(state)
    return quantize


def bytes_each(wire: Wire, contract: Contract, z: Tensor, rows: int) -> float:
    body, _ = build_request(z[:rows].numpy(), wire, contract, "0123456789ab-0")
    return len(body) / rows


def run(folder: Path, data: Splits, victims: int, seed: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as scratch:
        key = Path(scratch) / "key.pem"
        contract = export_run(folder, Path(scratch) / "export", key=key).contract
    model = load_model(folder, data)
    subjects = [
        Subject(
            SplitModel(
                model.encoder, model.head, nn.Sequential(model.channel, channel_of(w, contract))
            ).eval(),
            name=w,
        )
        for w in WIRES
    ]
    attacks = [Rmle(), Decoder(), Refined()]
    report, _ = run_audit(subjects, data, attacks, victims=victims, seed=seed)
    figures = figures_of(report)
    metric = figures.metric
    with torch.no_grad():
        z = model.release(data.test.floats(slice(64)))
    raw = data.test.inputs[0].numel()
    yield f"raw input: {raw} bytes as uint8; attacks: {', '.join(a.name for a in attacks)}"
    yield (
        f"| wire | bytes of z | a request of 1 | of 64, each | accuracy | {metric} of best "
        "attack | excess |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for wire, record in zip(WIRES, report.models, strict=True):
        summary = figures.of(record)
        z_bytes = z[0].numel() * {"float32": 4, "float16": 2, "int8": 1, "int4": 0.5}[wire]
        assert summary.leakage is not None
        yield (
            f"| {wire} | {z_bytes:,.0f} | {bytes_each(wire, contract, z, 1):,.0f} | "
            f"{bytes_each(wire, contract, z, 64):,.0f} | {record.accuracy:.2%} | "
            f"{summary.leakage:.3f} | {summary.excess:.3f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.serving_wires", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--victims", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    config = RunFolder(args.run).config
    command = f"python -m benchmarks.serving_wires {args.run} --victims {args.victims}"
    where = environment_of(command, args.seed)
    print(f"{where.command}\n{where.machine}, {where.versions}, {where.started}\n")
    data_dir = os.environ.get("MIXCON_DATA")
    data = config.load_data(Path(data_dir) if data_dir else None)
    print(f"## {config.data}, {config.network}, {config.defense}")
    for line in run(args.run, data, args.victims, args.seed):
        print(line, flush=True)


if __name__ == "__main__":
    main()
