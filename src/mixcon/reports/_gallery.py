"""Gallery: which pictures a report shows, and what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mixcon.audit import AttackRecord, Gallery, ModelRecord, Report
from mixcon.errors import ConfigError
from mixcon.kinds import Kind
from mixcon.metrics import metric_named
from mixcon.reports.figures import Figures
from mixcon.reports.pictures import data_uri, grid, png
from mixcon.reports.sentences import sentence, words_of
from mixcon.reports.summary import Summary
from mixcon.reports.waves import wave_form

__all__ = [
    "Picture",
    "PictureRow",
    "check_gallery",
    "picture_rows",
    "strongest_pictures",
    "thumbnail",
]

VIEW = 96  # pixels along the longer side, at least, once enlarged
_FEW = 6  # victims of a thumbnail


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


def strongest_pictures(
    model: ModelRecord, found: Mapping[str, Tensor], metric: str = "ssim"
) -> Tensor:
    """For each victim the reconstruction that is closest to it, (N, *shape).

    Args:
        model: the record of at least one attack.
        found: attack name to reconstructions, (N, *shape).
        metric: what says how close.
    """
    scores = torch.tensor([attack.leakage[metric] for attack in model.attacks])
    every = torch.stack([found[attack.attack] for attack in model.attacks])
    best = scores.argmax(0) if metric_named(metric).higher_leaks else scores.argmin(0)
    return every[best, torch.arange(len(best))]


def thumbnail(model: ModelRecord, gallery: Gallery) -> tuple[str, bytes] | None:
    """A few victims above what became of them: the ending of the file, and its content.

    Args:
        model: the record of at least one attack.
        gallery: holds what was found under the model's name.

    Returns:
        PNG of images, SVG of the first sequence or text, None of vectors.
    """
    if gallery.kind is Kind.VECTOR:
        return None
    metric = gallery.kind.headlines[0]
    found = strongest_pictures(model, gallery.reconstructions[model.name], metric)
    if gallery.kind is not Kind.IMAGE:
        return "svg", _drawn(gallery, found[0], gallery.originals[0]).encode()
    pair = torch.cat([gallery.originals[:_FEW], found[:_FEW]])
    return "png", png(grid(pair, columns=min(_FEW, len(gallery.originals))), 2)


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


def picture_rows(figures: Figures, gallery: Gallery) -> list[PictureRow]:
    """Rows for the page: the originals, then what each attack got from each model; not of vectors.

    Every row shows the same inputs, see `Figures.shown`.
    """
    if gallery.kind is Kind.VECTOR or not figures.attacks:
        return []
    rows = [_originals(gallery, figures)]
    for model, summary in zip(figures.report.models, figures.models, strict=True):
        for attack in model.attacks:
            found = gallery.reconstructions.get(model.name, {}).get(attack.attack)
            if found is not None:
                pictures = _reconstructed(found, gallery, attack, summary, figures)
                rows.append(PictureRow(model.name, attack.attack, pictures))
    return rows


def _originals(gallery: Gallery, figures: Figures) -> PictureRow:
    pictures = []
    for index in figures.shown:
        name = gallery.classes[int(gallery.labels[index])]
        original = gallery.originals[index]
        alt = f"Original {figures.thing} {index}, class {name}{_read(gallery, original)}"
        pictures.append(Picture(_source(gallery, original), alt, name))
    return PictureRow("Original", "class below", pictures)


def _reconstructed(
    found: Tensor, gallery: Gallery, attack: AttackRecord, summary: Summary, figures: Figures
) -> list[Picture]:
    scale, values = figures.scale, attack.leakage[figures.metric]
    return [
        Picture(
            _source(gallery, found[index], gallery.originals[index]),
            f"{figures.thing.capitalize()} {index} as {attack.attack} redraws it from "
            f"{summary.model}, {scale.label} {scale.text(values[index])}"
            + _read(gallery, found[index], gallery.originals[index]),
            scale.text(values[index]),
            strongest=values[index] == summary.strongest[index],
        )
        for index in figures.shown
    ]


def _source(gallery: Gallery, sample: Tensor, original: Tensor | None = None) -> str:
    if gallery.kind is not Kind.IMAGE:
        return data_uri(_drawn(gallery, sample, original).encode(), "svg")
    return data_uri(png(sample, max(1, round(VIEW / max(sample.shape[-2:])))))


def _drawn(gallery: Gallery, sample: Tensor, original: Tensor | None) -> str:
    """A sequence or a text, as SVG."""
    if gallery.kind is Kind.TEXT:
        return sentence(sample, gallery.vocabulary, original)
    return wave_form(sample, original)


def _read(gallery: Gallery, sample: Tensor, original: Tensor | None = None) -> str:
    """What a text reads, for who cannot see it; nothing of other kinds."""
    if gallery.kind is not Kind.TEXT:
        return ""
    return ": " + " ".join(word for word in words_of(sample, gallery.vocabulary, original) if word)
