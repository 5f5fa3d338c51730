"""One model on the page: its export, its server, and the curious cloud behind that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mixcon._cache import digest
from mixcon._memory import at_once
from mixcon.attacks import Auxiliary
from mixcon.audit import fingerprint
from mixcon.audit.bits import certified_bits
from mixcon.data import LabeledSet, Splits
from mixcon.errors import ContractError
from mixcon.serving import CloudService, export_run
from mixcon.serving.export_reader import Half, read_half
from mixcon.show.curious_cloud import CuriousCloud
from mixcon.show.wire_tap import WireTap
from mixcon.split import SplitModel
from mixcon.training import RunFolder, load_model

__all__ = ["ShownModel"]


@dataclass(frozen=True)
class ShownModel:
    """A trained split with both halves at work.

    Attributes:
        defense: what it was trained with, as text.
        right: whether it labels each test sample rightly, (N,).
        bits: maximal leakage of one release, which is proved; None where nothing bounds it.
        edge: the half that the page runs.
        tap: the server of the other half, as the curious cloud runs it.
        cloud: redraws what the tap hears.
    """

    defense: str
    right: Tensor
    bits: float | None
    edge: Half
    tap: WireTap
    cloud: CuriousCloud

    @classmethod
    def of(cls, run: Path, data: Splits, own: Auxiliary, folder: Path, steps: int) -> ShownModel:
        """Export a finished run, and start what serves and attacks it.

        Args:
            run: the run folder.
            data: what it was trained on.
            own: the attacker's own samples.
            folder: keeps exports and the key that signs them.
            steps: training steps of the attacker's decoders.
        """
        model, defense = load_model(run, data).eval(), str(RunFolder(run).config.defense)
        export = folder / "exports" / digest(fingerprint(model), defense)[:16]
        key = folder / "signing-key.pem"
        trust = key.with_suffix(".pub.pem")
        edge = _exported(run, export, key, trust)
        service = CloudService(export / "cloud", trust=trust, unaudited=True)
        raw = tuple(model.represent(data.test.floats(slice(2))).shape[1:])
        return cls(
            defense=defense,
            right=_right(model, data.test),
            bits=certified_bits(model, raw)[0],
            edge=edge,
            tap=WireTap(service, edge.contract),
            cloud=CuriousCloud(model, edge.contract, own, steps),
        )

    @property
    def name(self) -> str:
        """What the server calls it."""
        return self.edge.contract.name

    def described(self) -> dict[str, Any]:
        """What the page needs to know of it, in JSON's types."""
        contract = self.edge.contract
        return {
            "name": self.name,
            "defense": self.defense,
            "accuracy": self.right.double().mean().item(),
            "bits": self.bits,
            "sigmas": self.cloud.sigmas,
            "contract": contract.model_dump(
                mode="json",
                include={"classes", "input", "noise", "representation", "low", "high", "logits",
                         "wire", "scales"},
            ),
        }  # fmt: skip


@torch.no_grad()
def _right(model: SplitModel, test: LabeledSet) -> Tensor:
    torch.manual_seed(0)
    size = at_once(500, test.shape)
    return torch.cat([model(x).argmax(1) == y for x, y in test.batches(size)])


def _exported(run: Path, export: Path, key: Path, trust: Path) -> Half:
    """The device's half of an export that is there already, or is made now."""
    try:
        return read_half(export / "edge", "encoder", trust)
    except ContractError:  # none yet, or not one of ours any more
        name = f"show-{export.name}"
        export_run(run, export, name=name, key=key)
        return read_half(export / "edge", "encoder", trust)
