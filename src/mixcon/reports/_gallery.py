"""Gallery: which pictures a report shows, and what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from mixcon.audit import AttackRecord, Gallery, ModelRecord, Report
from mixcon.errors import ConfigError
from mixcon.metrics import metric_named
from mixcon.reports.headline import best_attack
from mixcon.reports.pictures import data_uri, png
from mixcon.reports.summary import headline_metric
from mixcon.reports.tables import attack_names

__all__ = [
    "Picture",
    "PictureRow",
    "check_gallery",
    "choose_columns",
    "picture_rows",
    "strongest_pictures",
]

COLUMNS = 9  # odd, so that the middle column is the median
VIEW = 96  # pixels along the longer side, at least, once enlarged


@dataclass(frozen=True)
class Picture:
    """One picture: its data URI, the words for who cannot see it, and the line below it."""

    source: str
    alt: str
    caption: str
    strongest: bool = False


@dataclass(frozen=True)
class PictureRow:
    """Pictures that belong together: the originals, or what one attack got from one model."""

    title: str
    subtitle: str
    pictures: list[Picture]


def strongest_pictures(model: ModelRecord, found: Mapping[str, Tensor]) -> Tensor:
    """For each victim the reconstruction that is closest to it in SSIM, (N, C, H, W).

    Args:
        model: the record of at least one attack.
        found: attack name to reconstructions, (N, C, H, W).
    """
    scores = torch.tensor([attack.leakage["ssim"] for attack in model.attacks])
    images = torch.stack([found[attack.attack] for attack in model.attacks])
    best = scores.argmax(0)
    return images[best, torch.arange(len(best))]


def check_gallery(report: Report, gallery: Gallery) -> None:
    """Refuse a gallery that does not belong to the report.

    Raises:
        ConfigError: the numbers of images differ, or a reconstruction has another shape.
    """
    images = len(gallery.originals)
    for model in report.models:
        for attack in model.attacks:
            for metric, values in attack.leakage.items():
                if len(values) != images:
                    raise ConfigError(
                        f"expected {images} values of {metric} from {attack.attack} on "
                        f"{model.name}, one per image of the gallery, but got {len(values)}"
                    )
    for name, attacks in gallery.reconstructions.items():
        for attack_name, pictures in attacks.items():
            if pictures.shape != gallery.originals.shape:
                raise ConfigError(
                    f"expected reconstructions {tuple(gallery.originals.shape)} by "
                    f"{attack_name} from {name} but got {tuple(pictures.shape)}"
                )


def choose_columns(report: Report, limit: int = COLUMNS) -> list[int]:
    """Choose images from the best to the worst reconstructed, the median in the middle.

    The ranking is that of one attack, the one that leaks most on average, by its mean over the
    models, so that every row shows the same images and no row shows its own favorites.

    Args:
        report: a report with at least one attack.
        limit: how many images at most; all of them if there are fewer.

    Returns:
        Indices into the gallery, evenly spaced in rank, both ends included.
    """
    metric = headline_metric(report)
    per_attack = [_mean_over_models(report, name, metric) for name in attack_names(report)]
    scale = metric_named(metric)
    strongest = scale.closest([fmean(scores) for scores in per_attack])
    scores = next(scores for scores in per_attack if fmean(scores) == strongest)
    ranked = sorted(range(len(scores)), key=scores.__getitem__, reverse=scale.higher_leaks)
    count = min(limit, len(ranked))
    return [ranked[round(i * (len(ranked) - 1) / max(count - 1, 1))] for i in range(count)]


def picture_rows(report: Report, gallery: Gallery, columns: list[int]) -> list[PictureRow]:
    """Rows for the page: the originals, then what each attack got from each model."""
    rows = [_originals(gallery, columns)]
    metric = headline_metric(report)
    for model in report.models:
        best = best_attack(model, metric) if model.attacks else []
        for attack in model.attacks:
            images = gallery.reconstructions.get(model.name, {}).get(attack.attack)
            if images is not None:
                pictures = _reconstructed(images, attack, model.name, metric, columns, best)
                rows.append(PictureRow(model.name, attack.attack, pictures))
    return rows


def _mean_over_models(report: Report, attack: str, metric: str) -> list[float]:
    lists = [
        record.leakage[metric]
        for model in report.models
        for record in model.attacks
        if record.attack == attack
    ]
    return [fmean(values) for values in zip(*lists, strict=True)]


def _originals(gallery: Gallery, columns: list[int]) -> PictureRow:
    pictures = []
    for index in columns:
        name = gallery.classes[int(gallery.labels[index])]
        alt = f"Original image {index}, class {name}"
        pictures.append(Picture(_source(gallery.originals[index]), alt, name))
    return PictureRow("Original", "class below", pictures)


def _reconstructed(
    images: Tensor,
    attack: AttackRecord,
    model: str,
    metric: str,
    columns: list[int],
    best: list[float],
) -> list[Picture]:
    scale, values = metric_named(metric), attack.leakage[metric]
    return [
        Picture(
            _source(images[index]),
            f"Image {index} as {attack.attack} redraws it from {model}, "
            f"{scale.label} {scale.text(values[index])}",
            scale.text(values[index]),
            strongest=values[index] == best[index],
        )
        for index in columns
    ]


def _source(image: Tensor) -> str:
    return data_uri(png(image, max(1, round(VIEW / max(image.shape[-2:])))))
