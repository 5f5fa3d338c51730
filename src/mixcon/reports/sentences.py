"""Texts as small SVG pictures: what came back, wrong words struck through."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from torch import Tensor

__all__ = ["sentence", "words_of"]

_WIDTH, _LINE, _LETTER = 300, 17, 7.3  # pixels; the last one of a letter of 12 pixels
_PAPER, _INK, _WRONG = "#ffffff", "#1a1a1a", "#b0563f"


def words_of(text: Tensor, vocabulary: Sequence[str], original: Tensor | None = None) -> list[str]:
    """What a text, (L, V), reads, up to its end or that of its original."""
    ended = (text if original is None else original).amax(-1) <= 0
    return [
        vocabulary[token] if not end else ""
        for token, end in zip(text.argmax(-1).tolist(), ended.tolist(), strict=True)
    ]


def sentence(text: Tensor, vocabulary: Sequence[str], original: Tensor | None = None) -> str:
    """A text as SVG, broken into lines; words that are not those of the original struck through.

    Args:
        text: (L, V).
        vocabulary: what each token reads.
        original: the same shape; where it has ended, nothing is shown.
    """
    found = words_of(text, vocabulary, original)
    wanted = found if original is None else words_of(original, vocabulary)
    lines, spans, column = 1, list[str](), 0.0
    for word, right in zip(found, wanted, strict=True):
        if not word:
            continue
        width = _LETTER * (len(word) + 1)
        if column and column + width > _WIDTH:
            lines, column = lines + 1, 0.0
        style = "" if word == right else f' fill="{_WRONG}" text-decoration="line-through"'
        spans.append(
            f'<tspan x="{4 + column:.0f}" y="{_LINE * lines}"{style}>{escape(word)}</tspan>'
        )
        column += width
    height = _LINE * lines + 7
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}"><rect width="100%" height="100%" fill="{_PAPER}"/>'
        f'<text font-family="monospace" font-size="12" fill="{_INK}">{"".join(spans)}</text></svg>'
    )
