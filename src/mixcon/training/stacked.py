"""Many models at once: alike but for the defense's numbers and the seed, trained as one stack."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap

from mixcon.data import Splits
from mixcon.defenses import DefenseConfig, Part, Penalty, part_kind
from mixcon.errors import ConfigError, NonFiniteError
from mixcon.split import SplitModel
from mixcon.training.augment import AUGMENTATIONS
from mixcon.training.build import build, observe_range
from mixcon.training.config import TrainConfig
from mixcon.training.loop import Progress
from mixcon.training.objective import Objective
from mixcon.training.optimizer import learning_rate, make_optimizer, ramp
from mixcon.training.run_folder import manual_seed

__all__ = ["shared_settings", "stackable", "stacking_pays", "train_stacked"]

_DTYPES = {"32-true": torch.float32, "64-true": torch.float64}

Numbers = list[dict[str, Tensor]]


def train_stacked(
    configs: Sequence[TrainConfig],
    splits: Splits,
    *,
    device: torch.device | str = "cpu",
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> list[SplitModel]:
    """Train models that differ in loss weights, MixCon's beta and eps, and seed, all at once.

    Every batch is read once and goes through all models. Each model starts from the weights that
    `train` would give it. The order of the batches, and the noise of a channel, are drawn from
    the seed of the first config, so models of that seed come out as `train` would have them,
    within float tolerance, unless a channel draws noise; those of other seeds see its batches
    from initial weights of their own. Every model has its own noise.

    A model that diverges leaves the others alone: its losses in the records and its weights are
    not finite, and a warning names it at the end. Nothing is written; an interrupted stack starts
    anew.

    Args:
        configs: at least one; alike in all but weights, beta, eps and seed. Precision "32-true"
            or "64-true".
        splits: what `data` of the configs names; only `train` is used.
        device: where to train; see `stacking_pays`.
        on_progress: called after every step, and after every epoch with a record whose loss,
            penalty and train_accuracy are lists, one entry a model.

    Returns:
        The models in the order of the configs, in evaluation mode, on the CPU.

    Raises:
        ConfigError: configs that differ in more, or another precision; before work starts.
        NonFiniteError: all models diverged.
    """
    _check(configs)
    with torch.random.fork_rng():
        return _Stack(configs, splits, torch.device(device), on_progress).run()


def stacking_pays(device: torch.device | str) -> bool:
    """Whether a stack is expected to finish sooner than its models one after another.

    No on a CPU: 56 LeNet-5 took 1.75 times as long as one after another. Yes on CUDA, where one
    small network leaves most of the device idle; this is expected, and not measured yet.
    """
    return torch.device(device).type == "cuda"


def _check(configs: Sequence[TrainConfig]) -> None:
    if not configs:
        raise ConfigError("expected at least one config to train, but got none")
    first = shared_settings(configs[0])
    for position, config in enumerate(configs[1:], start=1):
        other = shared_settings(config)
        odd = [f"{key} = {other[key]!r} there, {first[key]!r} first" for key in first
               if first[key] != other[key]]  # fmt: skip
        if odd:
            raise ConfigError(
                "expected configs that differ in weight, beta, eps and seed alone, but got number "
                f"{position} with {'; '.join(odd)}; train it by itself"
            )
    odd = [p.name for p in configs[0].defense.parts if part_kind(p.name).stacked is None]
    if odd:
        raise ConfigError(
            f"expected a defense that can be trained in a stack, but {', '.join(odd)} learns or "
            "remembers; train the models one by one"
        )
    if configs[0].precision not in _DTYPES:
        raise ConfigError(
            f"expected precision {' or '.join(_DTYPES)} for a stack, but got "
            f"{configs[0].precision}; train the models one by one"
        )


def shared_settings(config: TrainConfig) -> dict[str, Any]:
    """What all models of a stack must have in common."""
    free = {
        f"{part.name}.{name}": None
        for part in config.defense.parts
        for name in part_kind(part.name).stacked or ()
    }
    shared = config.model_dump(exclude={"seed", "defense"})
    return {**shared, "defense": str(_without(config.defense, free))}


def stackable(config: TrainConfig) -> bool:
    """Whether every part of the defense, the start and the precision can be had in a stack.

    What takes no epoch is for `train`, which refuses defenses that would have to be learned.
    """
    kinds = [part_kind(part.name) for part in config.defense.parts]
    anew = config.epochs > 0 and not (config.frozen or config.start)
    return anew and config.precision in _DTYPES and all(kind.stacked is not None for kind in kinds)


def _without(defense: DefenseConfig, names: Collection[str]) -> DefenseConfig:
    parts = [
        Part(p.name, {k: v for k, v in p.settings.items() if f"{p.name}.{k}" not in names})
        for p in defense.parts
    ]
    return DefenseConfig(tuple(parts))


class _Stack:
    """The state of one stack."""

    def __init__(
        self,
        configs: Sequence[TrainConfig],
        splits: Splits,
        device: torch.device,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.config, self.on_progress = configs[0], on_progress
        self.train_set = splits.train.to(device)
        dtype = _DTYPES[self.config.precision]
        self.models, self.defenses = [], []
        for config in configs:
            model, defense = build(config, splits)
            observe_range(model, splits.train)
            self.models.append(model.train().to(device, dtype))
            self.defenses.append(defense)
        self.like = torch.empty((), dtype=dtype, device=device)
        self.numbers = [_numbers(penalties, self.like) for penalties in self._columns()]
        self.parameters, self.buffers = stack_module_state(self.models)
        self.forward = vmap(self._one, (0, 0, 0, None, None, None), randomness="different")
        self.optimizer = make_optimizer(self.parameters.values(), self.config)
        self.augment = AUGMENTATIONS.find(self.config.augment)

    def run(self) -> list[SplitModel]:
        """Train to the end."""
        for epoch in range(1, self.config.epochs + 1):
            self._train_epoch(epoch)
        self._warn_of_diverged()
        return [self._unstacked(i) for i in range(len(self.models))]

    def _columns(self) -> Iterator[tuple[Penalty, ...]]:
        return zip(*(defense.penalties for defense in self.defenses), strict=True)

    def _one(
        self,
        state: dict[str, Tensor],
        buffers: dict[str, Tensor],
        numbers: Numbers,
        x: Tensor,
        y: Tensor,
        share: float,
    ) -> tuple[Tensor, Tensor]:
        first = self.defenses[0]
        own = tuple(p.at(**n) for p, n in zip(first.penalties, numbers, strict=True))
        defense = replace(first, penalties=own)
        objective = Objective(self.models[0], defense, self.config.label_smoothing)
        named = {f"model.{name}": tensor for name, tensor in (state | buffers).items()}
        return cast(tuple[Tensor, Tensor], functional_call(objective, named, (x, y, share))[:2])

    def _train_epoch(self, epoch: int) -> None:
        started = time.monotonic()
        generator = manual_seed(self.config.seed, epoch)
        order = torch.randperm(len(self.train_set), generator=generator).to(self.like.device)
        steps = -(-len(order) // self.config.batch_size)
        total = torch.zeros(len(self.models), 4, dtype=torch.float64, device=self.like.device)
        for step, (x, y) in enumerate(self.train_set.batches(self.config.batch_size, order)):
            manual_seed(self.config.seed, epoch, step, 0)
            self._set_learning_rate(epoch, step, steps)
            share = ramp(self.config, epoch, step, steps)
            total += self._train_step(self.augment(x.to(self.like.dtype)), y, share)
            self.on_progress(Progress(epoch, self.config.epochs, step + 1, steps))
        record = _record(epoch, total / len(order), time.monotonic() - started)
        self.on_progress(Progress(epoch, self.config.epochs, 0, 0, record))
        if not total.isfinite().all(1).any():
            raise NonFiniteError(
                f"expected finite losses, but all models diverged in epoch {epoch}; lower the "
                f"learning rate ({self.config.lr:g}) or the weights of the defenses, or raise eps"
            )

    def _train_step(self, x: Tensor, y: Tensor, share: float) -> Tensor:
        losses, sums = self.forward(self.parameters, self.buffers, self.numbers, x, y, share)
        self.optimizer.zero_grad()
        losses.sum().backward()  # no model has a part in another's loss
        self.optimizer.step()
        return sums

    def _set_learning_rate(self, epoch: int, step: int, steps: int) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, epoch, step, steps)

    def _warn_of_diverged(self) -> None:
        finite = torch.stack([p.flatten(1).isfinite().all(1) for p in self.parameters.values()])
        diverged = (~finite.all(0)).nonzero().flatten().tolist()
        if diverged:
            where = ", ".join(map(str, diverged))
            warnings.warn(f"models {where} of the stack diverged (NaN or infinity)", stacklevel=4)

    def _unstacked(self, i: int) -> SplitModel:
        state = {k: v[i].detach() for k, v in (self.parameters | self.buffers).items()}
        self.models[i].load_state_dict(state)
        return self.models[i].to("cpu", torch.float32).eval()


def _numbers(penalties: Sequence[Penalty], like: Tensor) -> dict[str, Tensor]:
    """What differs between the models in one penalty of their defenses: name to (models,)."""
    rows = [penalty.numbers for penalty in penalties]
    return {name: like.new_tensor([row[name] for row in rows]) for name in rows[0]}


def _record(epoch: int, means: Tensor, seconds: float) -> dict[str, Any]:
    loss, penalty, hits, _ = means.T.tolist()
    return {
        "epoch": epoch,
        "loss": loss,
        "penalty": penalty,
        "train_accuracy": hits,
        "seconds": round(seconds, 3),
    }
