"""The one training loop: any defense, network and data set, on any device, resumable."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixcon import models
from mixcon.data import LabeledSet, Splits, load
from mixcon.defenses import Defense
from mixcon.errors import NonFiniteError, RunError
from mixcon.metrics import Separability, chance_level, mixed_pairs, separability
from mixcon.split import SplitModel
from mixcon.training.config import TrainConfig
from mixcon.training.folder import RunFolder, manual_seed

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["Progress", "accuracy", "load_model", "raw_separability", "show_channel", "train"]

_CHECKPOINT_SECONDS = 30.0
_CHECK_STEPS = 50  # how often the device is asked whether all was finite
_SHOWN = 64  # samples that an untrained model's channel is shown


@dataclass(frozen=True)
class Progress:
    """Where a run stands: `step` of `steps` in `epoch` of `epochs`; a record once an epoch."""

    epoch: int
    epochs: int
    step: int
    steps: int
    record: dict[str, Any] | None = None


def train(
    config: TrainConfig,
    out: Path,
    *,
    data_dir: Path | None = None,
    accelerator: str = "auto",
    devices: int = 1,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> SplitModel:
    """Train a split model, or go on where an earlier call was interrupted.

    The same config gives the same weights on a CPU with as many threads, interrupted or not: every
    step draws its randomness from the seed and its own position alone.

    Args:
        config: what to train.
        out: the run folder; see `RunFolder`.
        data_dir: where local Parquet files lie; see `mixcon.data.load`.
        accelerator: as Lightning Fabric names it: ``auto``, ``cpu``, ``cuda``.
        devices: how many of them; a batch is shared among them.
        on_progress: called after every step and every epoch.

    Returns:
        The trained model in evaluation mode, on the CPU.

    Raises:
        ConfigError, CutError, DataError: bad settings or data; before anything is written.
        RunError: the folder holds another run, or a damaged checkpoint.
        NonFiniteError: the loss or the representation became NaN or infinite.
    """
    from lightning_fabric import Fabric  # noqa: PLC0415  takes twice as long as torch

    with torch.random.fork_rng():
        defense = config.defense.build()
        splits = load(config.data, data_dir=data_dir, seed=config.seed)
        splits = splits.holdout(config.holdout) if config.holdout else splits
        manual_seed(config.seed)
        model = _build(config, splits, defense)
        folder = RunFolder(out)
        folder.claim(config)
        if not folder.finished:
            fabric = Fabric(accelerator=accelerator, devices=devices, precision=config.precision)
            fabric.launch()
            _Trainer(config, folder, fabric, model, defense, splits, on_progress).run()
    return load_model(out, splits)


def load_model(out: Path, splits: Splits) -> SplitModel:
    """The trained model of a finished run, in evaluation mode, on the CPU.

    Raises:
        RunError: not a finished run, or weights that do not fit its config.
    """
    folder = RunFolder(out)
    with torch.random.fork_rng():  # initial weights, soon replaced, draw from it
        model = _build(folder.config, splits, folder.config.defense.build())
    try:
        model.load_state_dict(folder.read_model())
    except RuntimeError as error:
        raise RunError(f"{out}: expected weights of its config, but {error}") from error
    return model.eval()


def accuracy(model: nn.Module, labeled: LabeledSet, batch_size: int = 1000) -> float:
    """Share of samples classified correctly, in [0, 1]; the model is left in its mode."""
    was_training = model.training
    model.eval()
    like = next(model.parameters())
    with torch.inference_mode():
        hits = [
            (model(x.to(like)).argmax(1) == y.to(like.device)).sum()
            for x, y in labeled.batches(batch_size)
        ]
    model.train(was_training)
    return int(torch.stack(hits).sum()) / len(labeled)


def show_channel(model: SplitModel, labeled: LabeledSet) -> None:
    """Let the channel of an untrained model see samples: a quantizer must know its range."""
    x, _ = next(labeled.batches(_SHOWN))
    with torch.no_grad():
        z = model.eval().represent(x.to(next(model.parameters())))
        model.channel.train()(z)


def _build(config: TrainConfig, splits: Splits, defense: Defense) -> SplitModel:
    shape, classes = splits.train.shape, len(splits.train.classes)
    return models.build(config.network, shape, classes, config.cut, defense.channel)


class Objective(nn.Module):
    """Model and defense in one forward pass, so that several GPUs and autocast see all of it."""

    def __init__(self, model: SplitModel, defense: Defense) -> None:
        super().__init__()
        self.model = model
        self._defense = defense

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, and what to add up: loss, penalty, hits, samples, and a sign of NaN."""
        raw = self.model.represent(x)
        logits = self.model.head(self.model.channel(raw))
        penalty = self._defense.penalty(raw, x, y)
        loss = F.cross_entropy(logits.float(), y) + penalty
        hits = (logits.argmax(1) == y).sum()
        count = len(y)
        sums = [loss.detach() * count, penalty.detach() * count, hits, raw.detach().sum() * 0]
        return loss, torch.stack([s.to(loss.dtype) for s in sums])


class _Trainer:
    """The state of one run."""

    def __init__(
        self,
        config: TrainConfig,
        folder: RunFolder,
        fabric: Fabric,
        model: SplitModel,
        defense: Defense,
        splits: Splits,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.config, self.folder, self.fabric = config, folder, fabric
        self.model = model
        self.objective, self.optimizer = fabric.setup(
            Objective(model, defense),
            torch.optim.SGD(
                model.parameters(),
                lr=config.lr,
                momentum=config.momentum,
                weight_decay=config.weight_decay,
            ),
        )
        self.train_set, self.test_set = (s.to(fabric.device) for s in (splits.train, splits.test))
        self.on_progress = on_progress
        self.records = folder.read_metrics()
        self.chance = chance_level(self.test_set.labels)
        self.sums = torch.zeros(4, dtype=torch.float64, device=fabric.device)
        self.epoch, self.step = 1, 0
        self.saved = time.monotonic()

    def run(self) -> None:
        """Train to the end, from wherever the folder's checkpoint stands."""
        self._restore()
        if self.epoch == 1 and self.step == 0:
            self.records = []
            show_channel(self.model, self.train_set)
            self._record({"epoch": 0})
        while self.epoch <= self.config.epochs:
            self._train_epoch()
        if self.fabric.is_global_zero:
            self.folder.write_model(self.model.state_dict())
        self.fabric.barrier()

    def _train_epoch(self) -> None:
        started = time.monotonic()
        self._set_learning_rate()
        self.objective.train()
        order = self._order()
        size = max(1, self.config.batch_size // self.fabric.world_size)
        steps = -(-len(order) // size)
        batches = self.train_set.batches(size, order[self.step * size :])
        pending: list[Tensor] = []
        for x, y in batches:
            pending.append(self._train_step(x, y))
            self.step += 1
            if len(pending) == _CHECK_STEPS or self.step == steps:
                self._add(pending)
                self._checkpoint_if_due()
            self.on_progress(Progress(self.epoch, self.config.epochs, self.step, steps))
        self._finish_epoch(len(order) * self.fabric.world_size, time.monotonic() - started)

    def _train_step(self, x: Tensor, y: Tensor) -> Tensor:
        manual_seed(self.config.seed, self.epoch, self.step, self.fabric.global_rank)
        loss, sums = self.objective(x, y)
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        self.optimizer.step()
        return cast(Tensor, sums)

    def _order(self) -> Tensor:
        """This device's share of the epoch's order; all shares are equally long."""
        generator = manual_seed(self.config.seed, self.epoch)
        order = torch.randperm(len(self.train_set), generator=generator)
        rank, world = self.fabric.global_rank, self.fabric.world_size
        return order[: len(order) // world * world][rank::world].to(self.fabric.device)

    def _set_learning_rate(self) -> None:
        drops = sum(self.epoch > milestone for milestone in self.config.milestones)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.lr * 0.1**drops

    def _add(self, pending: list[Tensor]) -> None:
        sums = torch.stack(pending).double()
        finite = sums.isfinite().all(1)
        if not finite.all():
            first = self.step - len(pending) + int((~finite).nonzero()[0]) + 1
            what = (
                "loss" if sums[first - 1 - self.step + len(pending), 3] == 0 else "representation"
            )
            raise NonFiniteError(
                f"the {what} became NaN or infinite at step {first} of epoch {self.epoch}; lower "
                f"the learning rate ({self.config.lr:g}) or the weight of the defense, or raise "
                "eps; the last checkpoint is from before"
            )
        self.sums += sums.sum(0)
        pending.clear()

    def _finish_epoch(self, count: int, seconds: float) -> None:
        sums = cast(Tensor, self.fabric.all_reduce(self.sums, reduce_op="sum"))
        loss, penalty, hits, _ = sums.tolist()
        record = {
            "epoch": self.epoch,
            "loss": loss / count,
            "penalty": penalty / count,
            "train_accuracy": hits / count,
            "seconds": round(seconds, 3),
        }
        self._record(record)
        self.sums.zero_()
        self.epoch, self.step = self.epoch + 1, 0
        self._checkpoint()

    def _record(self, record: dict[str, Any]) -> None:
        """Add what is measured after each epoch, on the first device alone."""
        manual_seed(self.config.seed, self.epoch, 0)
        if self.fabric.is_global_zero:
            record["test_accuracy"] = accuracy(self.model, self.test_set)
            record["chance"] = self.chance
            record["separability"] = asdict(raw_separability(self.model, self.test_set))
            kept = [r for r in self.records if r["epoch"] < record["epoch"]]
            self.records = [*kept, record]
            self.folder.write_metrics(self.records)
            self.on_progress(Progress(record["epoch"], self.config.epochs, 0, 0, record))
        self.fabric.barrier()

    def _checkpoint_if_due(self) -> None:
        if self.fabric.world_size == 1 and time.monotonic() - self.saved > _CHECKPOINT_SECONDS:
            self._checkpoint()

    def _checkpoint(self) -> None:
        self.saved = time.monotonic()
        if not self.fabric.is_global_zero:
            return
        state = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        for i, slots in self.optimizer.optimizer.state_dict()["state"].items():
            state |= {f"optimizer.{i}.{k}": v for k, v in slots.items() if v is not None}
        self.folder.write_checkpoint(state | {"sums": self.sums}, self.epoch, self.step)

    def _restore(self) -> None:
        found = self.folder.read_checkpoint()
        if found is None:
            return
        state, self.epoch, self.step = found
        self.model.load_state_dict(_part(state, "model."))
        slots: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _part(state, "optimizer.").items():
            index, key = name.split(".", 1)
            slots.setdefault(int(index), {})[key] = tensor.to(self.fabric.device)
        inner = self.optimizer.optimizer
        inner.load_state_dict({"state": slots, "param_groups": inner.state_dict()["param_groups"]})
        self.sums = state["sums"].to(self.fabric.device)


def _part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def raw_separability(model: SplitModel, labeled: LabeledSet, limit: int = 1000) -> Separability:
    """Separability of the raw representations of the first `limit` samples.

    Those of images are scaled to unit norm, as in the paper's distances; those of vectors are not.
    """
    part = labeled.take(slice(limit))
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        raw = model.represent(part.floats().to(next(model.parameters())))
    model.train(was_training)
    return separability(raw, pairs=mixed_pairs(part.labels), normalize=labeled.is_image)
