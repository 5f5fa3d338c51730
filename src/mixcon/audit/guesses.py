"""Guesses from the class alone: what a system gives away that sends nothing but its prediction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from mixcon._cache import digest, kept
from mixcon._clock import each_step, time_share
from mixcon.attacks.base import Auxiliary, OnStep
from mixcon.attacks.prototypes import most_alike, most_parallel
from mixcon.kinds import Kind, has_structure

__all__ = ["LabelGuesses"]

_FIT = 2  # raise when the same samples give other guesses
_MEMBERS = 2000  # of a class, at most, that guesses are made of
_SAMPLES = 48  # of them that one image is compared with in a round
_ROUNDS, _STEPS = 6, 40
_COARSE = 32  # pixels a side, by which images are grouped


class LabelGuesses:
    """Several guesses a class, learned from the attacker's own samples.

    ``class-mean``, best for the squared error; ``class-ssim``, the image of the largest expected
    SSIM; ``class-medoid``, the sample nearest to the mean; ``any-ssim``, the image that is best
    for all classes, where the prediction says nothing; and ``class-kind-1``, ... : the class is
    parted into groups by k-means, each with the image that is best for it, so that a maximum over
    several attacks has a maximum over as many guesses to stand against. Sequences are guessed for
    the largest expected cosine, vectors for the squared error, texts for the tokens that are right,
    and named so.

    Args:
        names: of the guesses, in order.
        classes: that are guessed from.
        images: (classes, guesses, *shape).
    """

    def __init__(self, names: list[str], classes: Sequence[int], images: Tensor) -> None:
        self.names, self.images = names, images
        self._row = torch.zeros(max(classes) + 1, dtype=torch.int64)
        self._row[list(classes)] = torch.arange(len(classes))

    @classmethod
    def learn(
        cls,
        auxiliary: Auxiliary,
        classes: Sequence[int],
        count: int,
        *,
        seed: int,
        on_step: OnStep,
        length: float = 1.0,
    ) -> LabelGuesses:
        """Make `count` guesses, at least 4, or find them in the cache.

        Args:
            auxiliary: the attacker's own samples, without those that score guesses, each with the
                class that the model predicts for it.
            classes: those to guess from; one without samples is guessed from all of them.
            count: how many guesses a class.
            seed: draws the groups and the samples that images are compared with.
            on_step: told about progress.
            length: so many times the usual steps.
        """
        count = max(4, count)
        best = Kind.of_samples(auxiliary.inputs).headlines[0]
        names = ["class-mean", f"class-{best}", "class-medoid", f"any-{best}"]
        names += [f"class-kind-{i}" for i in range(1, count - 3)]
        steps = max(1, round(length * _STEPS))
        facts = f"guesses {_FIT} {list(classes)} {count} {seed} {steps}"

        def make() -> dict[str, Tensor]:
            return {"images": _learn(auxiliary, classes, count, seed, steps, on_step).cpu()}

        made = kept(digest(auxiliary.inputs, auxiliary.labels, facts), make)
        on_step(1.0)
        return cls(names, classes, made["images"])

    def of(self, predicted: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Each guess by name, for predicted classes (N,) out of its own: (N, *shape)."""
        for place, name in enumerate(self.names):
            yield name, self.images[self._row[predicted], place]


def _learn(
    auxiliary: Auxiliary,
    classes: Sequence[int],
    count: int,
    seed: int,
    steps: int,
    on_step: OnStep,
) -> Tensor:
    pool, groups = auxiliary.inputs, list[Tensor]()
    for label in classes:
        groups += _groups(pool, _members(auxiliary, label), count - 4, seed)
    groups.append(torch.arange(min(_MEMBERS, len(pool))))
    starts = torch.stack([pool[group].mean(0) for group in groups])
    best = _best(starts, pool, groups, seed, steps, on_step)
    whole = best[-1].expand(len(classes), 1, *best.shape[1:])
    best = best[:-1].unflatten(0, (len(classes), count - 3))
    means = starts[:-1].unflatten(0, (len(classes), count - 3))[:, :1]
    medoids = torch.stack([_medoid(pool[_members(auxiliary, label)]) for label in classes])
    return torch.cat([means, best[:, :1], medoids[:, None], whole, best[:, 1:]], 1)


def _members(auxiliary: Auxiliary, label: int) -> Tensor:
    """Positions of samples of a class; of any, where it has none."""
    members = (auxiliary.labels == label).nonzero().flatten()[:_MEMBERS]
    return members if len(members) else torch.arange(min(_MEMBERS, len(auxiliary)))


def _groups(pool: Tensor, members: Tensor, count: int, seed: int) -> list[Tensor]:
    """All members, then `count` groups of them; fewer members than groups stand for themselves."""
    from sklearn.cluster import KMeans  # noqa: PLC0415  slow to import

    parts = min(count, len(members))
    if not parts:
        return [members]
    flat = _small(pool[members]).flatten(1).double().cpu().numpy()
    labels = torch.from_numpy(KMeans(parts, n_init=1, random_state=seed).fit(flat).labels_)
    groups = [members[labels == i] for i in range(parts)]
    return [members, *groups, *[members] * (count - parts)]


def _small(samples: Tensor) -> Tensor:
    """Large images averaged down: groups by their coarse looks are as good, and fit in memory."""
    if not has_structure(samples.shape[1:]) or max(samples.shape[-2:]) <= _COARSE:
        return samples
    height, width = (min(side, _COARSE) for side in samples.shape[-2:])
    return F.adaptive_avg_pool2d(samples, (height, width))


def _best(
    means: Tensor, pool: Tensor, groups: list[Tensor], seed: int, steps: int, on_step: OnStep
) -> Tensor:
    """Of each group, what is most like its members: (G, *shape)."""
    shape = means.shape[1:]
    if has_structure(shape):
        return _searched(means, pool, groups, seed, steps, on_step)
    if Kind.of(shape) is Kind.SEQUENCE:
        return torch.cat([_direction(pool[group]) for group in groups])
    return means


def _direction(group: Tensor) -> Tensor:
    return most_parallel(group[None], group.new_full((1, len(group)), 1 / len(group)))


def _searched(
    starts: Tensor, pool: Tensor, groups: list[Tensor], seed: int, steps: int, on_step: OnStep
) -> Tensor:
    """The images of largest expected SSIM, each against new samples of its group in each round."""
    generator = torch.Generator().manual_seed(seed)
    found = starts
    for number in each_step(_ROUNDS):
        turn = number - 1
        drawn = [g[torch.randint(len(g), (_SAMPLES,), generator=generator)] for g in groups]
        with time_share(1 / (_ROUNDS - turn)):
            found = most_alike(
                found,
                pool,
                torch.stack(drawn),
                pool.new_full((len(groups), _SAMPLES), 1 / _SAMPLES),
                steps=steps,
                lr=0.03 / (1 + turn),
                on_step=_within(on_step, turn, _ROUNDS),
            )
    return found


def _within(on_step: OnStep, turn: int, turns: int) -> OnStep:
    return lambda share: on_step((turn + share) / turns)


def _medoid(members: Tensor) -> Tensor:
    distance = (members - members.mean(0)).flatten(1).square().sum(1)
    return members[distance.argmin()]
