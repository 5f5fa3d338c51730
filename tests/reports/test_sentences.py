"""Texts as pictures, by hand."""

import re

import torch
from report_parts import model

from mixcon.audit import Gallery
from mixcon.reports import thumbnail
from mixcon.reports.sentences import sentence, words_of

WORDS = ("<b>", "cat", "dog", "sleeps")
ROWS = torch.eye(5)[:, 1:]
ORIGINAL = ROWS[torch.tensor([2, 4, 1, 0])]
FOUND = ROWS[torch.tensor([3, 4, 1, 2])] + 0.1


def test_wrong_words_are_struck_through_and_nothing_follows_the_end():
    assert words_of(ORIGINAL, WORDS) == ["cat", "sleeps", "<b>", ""]
    assert words_of(FOUND, WORDS, ORIGINAL) == ["dog", "sleeps", "<b>", ""]
    spans = re.findall("<tspan (.*?)>(.*?)</tspan>", sentence(FOUND, WORDS, ORIGINAL))
    assert [words for _, words in spans] == ["dog", "sleeps", "&lt;b&gt;"]
    assert ["line-through" in style for style, _ in spans] == [True, False, False]
    assert "line-through" not in sentence(ORIGINAL, WORDS)


def test_long_texts_break_into_lines_within_the_picture():
    drawn = sentence(ROWS[torch.full((40,), 4)], WORDS)
    width, height = map(int, re.findall(r'viewBox="0 0 (\d+) (\d+)"', drawn)[0])
    places = [(int(x), int(y)) for x, y in re.findall(r'x="(\d+)" y="(\d+)"', drawn)]
    assert len(set(places)) == 40
    assert max(x for x, _ in places) < width - 40
    assert max(y for _, y in places) < height


def test_a_thumbnail_is_the_first_text():
    record = model("m", 0.9, rmle=[0.9] * 2)
    tokens = [{**a.model_dump(), "leakage": {"tokens": [0.5] * 2}} for a in record.attacks]
    record = type(record).model_validate({**record.model_dump(), "attacks": tokens})
    gallery = Gallery(
        torch.stack([ORIGINAL, ORIGINAL]),
        torch.zeros(2).long(),
        ("a",),
        {"m": {"rmle": torch.stack([FOUND, ORIGINAL])}},
        vocabulary=WORDS,
    )
    ending, content = thumbnail(record, gallery)
    assert ending == "svg"
    assert content.decode() == sentence(FOUND, WORDS, ORIGINAL)
