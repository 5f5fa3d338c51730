"""The one training loop: any defense, network and data set, on any device, resumable."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from mixcon._memory import at_once
from mixcon.data import LabeledSet, Splits
from mixcon.defenses import Batch, Defense
from mixcon.errors import ConfigError, NonFiniteError, RunError
from mixcon.kinds import Kind
from mixcon.metrics import Separability, chance_level, mixed_pairs, separability
from mixcon.split import SplitModel
from mixcon.training.augment import AUGMENTATIONS
from mixcon.training.build import build, observe_range
from mixcon.training.checks import check_augment, check_frozen, check_learned
from mixcon.training.config import TrainConfig
from mixcon.training.objective import Objective
from mixcon.training.optimizer import learning_rate, make_optimizer, ramp
from mixcon.training.run_folder import RunFolder, manual_seed
from mixcon.training.state import State

if TYPE_CHECKING:
    from mixcon._lightning import Fabric

__all__ = ["Progress", "accuracy", "load_model", "raw_separability", "train"]

_CHECKPOINT_SECONDS = 30.0
_EPOCHS_END = 10.0  # so many times as long as writing a checkpoint takes, and it is written there
_KNOWN = 2**28  # numbers of all representations that are kept: 1 GiB
_CHECK_STEPS = 50  # how often the device is asked whether all was finite


@dataclass(frozen=True)
class Progress:
    """Where a run stands: `step` of `steps` in `epoch` of `epochs`; a record once an epoch."""

    epoch: int
    epochs: int
    step: int
    steps: int
    record: dict[str, Any] | None = None

    @property
    def share(self) -> float:
        """The share of all steps that is done, in [0, 1]."""
        if not self.epochs:
            return 1.0
        if not self.steps:  # a record, at the end of its epoch
            return self.epoch / self.epochs
        return (self.epoch - 1 + self.step / self.steps) / self.epochs


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
    with torch.random.fork_rng():
        splits = config.load_data(data_dir)
        splits = splits.holdout(config.holdout) if config.holdout else splits
        check_augment(config, splits)
        model, defense = build(config, splits)
        check_frozen(config, defense)
        check_learned(config, defense)
        folder = RunFolder(out)
        fabric = None if folder.finished else make_fabric(accelerator, devices, config.precision)
        folder.claim(config)
        if fabric:
            fabric.launch()
            _Trainer(config, folder, fabric, model, defense, splits, on_progress).run()
    return load_model(out, splits)


def make_fabric(accelerator: str, devices: int, precision: str) -> Fabric:
    """What puts a run on a device.

    Raises:
        ConfigError: this machine has no such accelerator, or fewer of them.
    """
    from mixcon._lightning import Fabric  # noqa: PLC0415  takes as long as torch

    try:
        return Fabric(accelerator=accelerator, devices=devices, precision=precision)  # type: ignore[arg-type]  # checked there
    except Exception as error:
        reason = str(error).partition("\n")[0][:200]
        raise ConfigError(
            f"expected {devices} of accelerator {accelerator!r} with precision {precision!r} on "
            f"this machine, but got: {reason}; try accelerator auto or cpu"
        ) from error


def load_model(out: Path, splits: Splits) -> SplitModel:
    """The trained model of a finished run, in evaluation mode, on the CPU.

    Raises:
        RunError: not a finished run, or weights that do not fit its config.
    """
    folder = RunFolder(out)
    with torch.random.fork_rng():  # initial weights, soon replaced, draw from it
        model, _ = build(folder.config, splits, started=False)
    try:
        model.load_state_dict(folder.read_model())
    except RuntimeError as error:
        raise RunError(f"{out}: expected weights of its config, but {error}") from error
    return model.eval()


def accuracy(
    model: nn.Module,
    labeled: LabeledSet,
    batch_size: int = 1000,
    on_step: Callable[[float], None] = lambda _: None,
) -> float:
    """Share of samples classified correctly, in [0, 1]; the model is left in its mode."""
    was_training = model.training
    model.eval()
    like = next(model.parameters())
    hits, seen = [], 0
    with torch.inference_mode():
        for x, y in labeled.batches(at_once(batch_size, labeled.shape)):
            hits.append((model(x.to(like)).argmax(1) == y.to(like.device)).sum())
            seen += len(y)
            on_step(seen / len(labeled))
    model.train(was_training)
    return int(torch.stack(hits).sum()) / len(labeled)


class _Taught(NamedTuple):
    """An adversary as Fabric runs it."""

    name: str
    updates: int
    module: Any
    optimizer: Any


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
        if fabric.device.type == "cuda" and splits.train.kind is Kind.IMAGE:
            model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # what tensor cores read without a copy
        model.encoder.requires_grad_(not config.frozen)
        objective = Objective(model, defense, config.label_smoothing)
        learning = [p for p in objective.parameters() if p.requires_grad]
        self.objective, self.optimizer = fabric.setup(objective, make_optimizer(learning, config))
        self.adversaries = [
            _Taught(a.name, a.updates, *fabric.setup(a, a.optimizer())) for a in defense.adversaries
        ]
        self.state = _state(objective, self.optimizer, defense, self.adversaries)
        self.augment = AUGMENTATIONS.find(config.augment)
        self.train_set, self.test_set = (s.to(fabric.device) for s in (splits.train, splits.test))
        self.on_progress = on_progress
        self.records = folder.read_metrics()
        self.chance = chance_level(self.test_set.labels)
        self.sums = torch.zeros(
            4 + len(defense.adversaries), dtype=torch.float64, device=fabric.device
        )
        self.epoch, self.step = 1, 0
        self.saved, self.writing = time.monotonic(), 0.0

    def run(self) -> None:
        """Train to the end, from wherever the folder's checkpoint stands."""
        self._restore()
        if self.epoch == 1 and self.step == 0:
            self.records = []
            observe_range(self.model, self.train_set)
            self._record({"epoch": 0})
        self.known = self._representations()
        while self.epoch <= self.config.epochs:
            self._train_epoch()
        if self.fabric.is_global_zero:
            self.folder.write_model(self.model.state_dict())
        self.fabric.barrier()

    def _train_epoch(self) -> None:
        started = time.monotonic()
        self.objective.train()
        self.model.encoder.train(not self.config.frozen)
        order = self._order()
        size = max(1, self.config.batch_size // self.fabric.world_size)
        steps = -(-len(order) // size)
        left = order[self.step * size :]
        batches = zip(self.train_set.batches(size, left), left.split(size), strict=False)
        pending: list[Tensor] = []
        for (x, y), places in batches:
            known = None if self.known is None else self.known[places]
            pending.append(self._train_step(x, y, steps, known))
            self.step += 1
            if len(pending) == _CHECK_STEPS or self.step == steps:
                self._add(pending)
                if self.fabric.world_size == 1:  # the sums of others are not here yet
                    self._checkpoint_if_due()
            self.on_progress(Progress(self.epoch, self.config.epochs, self.step, steps))
        self._finish_epoch(len(order) * self.fabric.world_size, time.monotonic() - started)

    def _train_step(self, x: Tensor, y: Tensor, steps: int, known: Tensor | None) -> Tensor:
        """The model's step, then those of each adversary on what the model has shown of itself."""
        manual_seed(self.config.seed, self.epoch, self.step, self.fabric.global_rank)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, self.epoch, self.step, steps)
        share = ramp(self.config, self.epoch, self.step, steps)
        loss, sums, seen = self.objective(self.augment(x), y, share, known)
        self._descend(self.optimizer, loss)
        losses = [self._teach(adversary, seen) for adversary in self.adversaries]
        return torch.stack([*sums, *(own * len(y) for own in losses)]) if losses else sums

    def _representations(self) -> Tensor | None:
        """Those of a frozen encoder, of all training samples, if they fit into memory."""
        if not self.config.frozen or self.config.augment != "none":
            return None
        self.model.eval()
        like, count = next(self.model.parameters()), len(self.train_set)
        with torch.no_grad():
            few = self.model.represent(self.train_set.floats(slice(2)).to(like))
            shape = tuple(few.shape[1:])
            if at_once(count, shape, numbers=_KNOWN) < count:
                return None
            parts = self.train_set.batches(at_once(1000, shape, self.train_set.shape))
            return torch.cat([self.model.represent(x.to(like)) for x, _ in parts])

    def _teach(self, adversary: _Taught, seen: Batch) -> Tensor:
        """Let an adversary learn; its loss before the last of its steps."""
        for _ in range(adversary.updates):
            loss = adversary.module(seen)
            self._descend(adversary.optimizer, loss)
        return cast(Tensor, loss.detach())

    def _descend(self, optimizer: Any, loss: Tensor) -> None:
        optimizer.zero_grad()
        self.fabric.backward(loss)
        optimizer.step()

    def _order(self) -> Tensor:
        """This device's share of the epoch's order; all shares are equally long."""
        generator = manual_seed(self.config.seed, self.epoch)
        order = torch.randperm(len(self.train_set), generator=generator)
        rank, world = self.fabric.global_rank, self.fabric.world_size
        return order[: len(order) // world * world][rank::world].to(self.fabric.device)

    def _add(self, pending: list[Tensor]) -> None:
        sums = torch.stack(pending).double()
        finite = sums.isfinite().all(1)
        if not finite.all():
            place = int((~finite).nonzero()[0])
            step = self.step - len(pending) + place + 1
            raise NonFiniteError(
                f"the {self._not_finite(sums[place])} became NaN or infinite at step {step} of "
                f"epoch {self.epoch}; lower the learning rate ({self.config.lr:g}) or the weight "
                "of the defense, or raise eps; the last checkpoint is from before"
            )
        self.sums += sums.sum(0)
        pending.clear()

    def _not_finite(self, sums: Tensor) -> str:
        if not sums[3].isfinite():
            return "representation"
        odd = [
            a.name for a, own in zip(self.adversaries, sums[4:], strict=True) if not own.isfinite()
        ]
        return f"loss of the adversary {odd[0]}" if odd and sums[0].isfinite() else "loss"

    def _finish_epoch(self, count: int, seconds: float) -> None:
        sums = cast(Tensor, self.fabric.all_reduce(self.sums, reduce_op="sum"))
        loss, penalty, hits, _, *losses = sums.tolist()
        record = {
            "epoch": self.epoch,
            "loss": loss / count,
            "penalty": penalty / count,
            "train_accuracy": hits / count,
            "seconds": round(seconds, 3),
        }
        if losses:
            names = [adversary.name for adversary in self.adversaries]
            record["adversaries"] = dict(zip(names, (x / count for x in losses), strict=True))
        self._record(record)
        self.sums.zero_()
        self.epoch, self.step = self.epoch + 1, 0
        self._checkpoint_if_due(min(_CHECKPOINT_SECONDS, _EPOCHS_END * self.writing))

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

    def _checkpoint_if_due(self, after: float = _CHECKPOINT_SECONDS) -> None:
        if time.monotonic() - self.saved > after:
            self._checkpoint()

    def _checkpoint(self) -> None:
        started = time.monotonic()
        if self.fabric.is_global_zero:
            tensors = self.state.tensors() | {"sums": self.sums}
            self.folder.write_checkpoint(tensors, self.epoch, self.step)
        self.saved = time.monotonic()
        self.writing = self.saved - started

    def _restore(self) -> None:
        found = self.folder.read_checkpoint()
        if found is None:
            return
        tensors, self.epoch, self.step = found
        self.state.load(tensors)
        self.sums = tensors["sums"].to(self.fabric.device)


def _state(
    objective: Objective, optimizer: Any, defense: Defense, adversaries: Sequence[_Taught]
) -> State:
    """Everything that a checkpoint holds."""
    modules: dict[str, nn.Module] = {"model": objective.model, "penalties": objective.penalties}
    optimizers = {"optimizer": optimizer.optimizer}
    for own, taught in zip(defense.adversaries, adversaries, strict=True):
        modules[f"adversary {taught.name}"] = own
        optimizers[f"optimizer of {taught.name}"] = taught.optimizer.optimizer
    return State(modules, optimizers)


def raw_separability(model: SplitModel, labeled: LabeledSet, limit: int = 1000) -> Separability:
    """Separability of the raw representations of up to `limit` samples, always the same ones.

    They are scaled to unit norm, as in the paper's distances of images; those of vectors are not.
    """
    part = labeled.mixed(limit)
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        like, size = next(model.parameters()), at_once(limit, labeled.shape)
        raw = torch.cat([model.represent(x.to(like)) for x, _ in part.batches(size)])
    model.train(was_training)
    return separability(
        raw, pairs=mixed_pairs(part.labels), normalize=labeled.kind is not Kind.VECTOR
    )
