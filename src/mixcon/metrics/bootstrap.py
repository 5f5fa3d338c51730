"""Confidence intervals over the images of an audit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mixcon.errors import ConfigError

__all__ = ["bootstrap_interval"]

Numbers = NDArray[np.float64]

_DRAWS = 2**22  # indices drawn at once: 32 MiB


def bootstrap_interval(
    statistic: Callable[..., Numbers],
    *columns: ArrayLike | Sequence[float],
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """The percentile bootstrap interval of a statistic of paired values, one of each an image.

    Images are drawn with replacement; the columns of one image stay together.

    Args:
        statistic: maps the columns, each (resamples, N), to (resamples,): it works along the last
            axis, e.g. ``lambda best, floor: best.mean(-1) - floor.mean(-1)``.
        columns: one value an image, (N,) each.
        level: share of the resampled statistics inside the interval, in (0, 1).
        resamples: how often to draw; more give a steadier interval.
        seed: of the draws.

    Returns:
        The lower and the upper end.

    Raises:
        ConfigError: no columns, columns of different lengths, or numbers that are not finite.

    Source: Efron, "Bootstrap Methods: Another Look at the Jackknife", 1979.

    Example:
        >>> bootstrap_interval(lambda x: x.mean(-1), [0.25, 0.25, 0.25])
        (0.25, 0.25)
    """
    rows = [np.asarray(column, dtype=np.float64) for column in columns]
    shapes = {row.shape for row in rows}
    if len(shapes) != 1 or rows[0].ndim != 1 or not len(rows[0]):
        raise ConfigError(f"expected columns of one length, 1 or more, but got shapes {shapes}")
    if not all(np.isfinite(row).all() for row in rows):
        raise ConfigError("expected finite values for an interval, but got NaN or infinity")
    if not 0 < level < 1 or resamples < 1:
        raise ConfigError(
            f"expected a level in (0, 1) and a resample or more, but got {level} and {resamples}"
        )
    values = _resampled(statistic, np.stack(rows), resamples, np.random.default_rng(seed))
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _resampled(
    statistic: Callable[..., Numbers], rows: Numbers, resamples: int, rng: np.random.Generator
) -> Numbers:
    count = rows.shape[1]
    at_once = max(1, _DRAWS // count)
    sizes = [min(at_once, resamples - start) for start in range(0, resamples, at_once)]
    draws = (rng.integers(count, size=(size, count)) for size in sizes)
    return np.concatenate([statistic(*rows[:, index]) for index in draws])
