"""Texts: tokens as they are kept, rows with a 1 as networks get them, and made-up messages."""

import pytest
import torch

from mixcon.data import LabeledSet, Splits, load
from mixcon.data.messages import messages
from mixcon.errors import DataError
from mixcon.kinds import Kind
from mixcon.testing import check_data

WORDS = ("no", "yes", "maybe")


def texts(tokens, **changed):
    rows = torch.tensor(tokens)
    labels = torch.arange(len(rows)) % 2
    return LabeledSet("own", rows, labels, ("a", "b"), **({"vocabulary": WORDS} | changed))


def test_a_row_has_a_single_one_at_its_token_and_none_behind_the_end():
    known = texts([[2, 0, 1], [1, -1, -1]])
    assert (known.kind, known.shape) == (Kind.TEXT, (3, 3))
    wanted = [
        [[0, 0, 1], [1, 0, 0], [0, 1, 0]],
        [[0, 1, 0], [0, 0, 0], [0, 0, 0]],
    ]
    assert known.floats().tolist() == wanted
    assert known.floats(torch.tensor([1])).tolist() == wanted[1:]
    assert known.take(slice(1)).vocabulary == WORDS
    assert Kind.of_samples(known.floats()) is Kind.TEXT


@pytest.mark.parametrize(
    ("tokens", "changed", "match"),
    [
        ([[0, 3]], {}, "tokens from 0 to 2, and -1 behind the end, but got 0 to 3"),
        ([[0, -2]], {}, "but got -2 to 0"),
        ([[0, 1], [-1, -1]], {}, "-1 behind the last one alone, but 1 have it before"),
        ([[0, 1], [-1, 1]], {}, "but 1 have it before"),
        ([[0.0, 1.0]], {}, "int64 texts"),
        ([0, 1], {}, "int64 texts"),
        ([[0, 1]], {"vocabulary": ()}, "or a vocabulary and int64 texts"),
        ([[[0.0, 1.0]]], {"vocabulary": ()}, "each row has a single 1; give int64"),
    ],
)
def test_what_are_no_texts_is_refused(tokens, changed, match):
    with pytest.raises(DataError, match=match):
        texts(tokens, **changed)


def test_both_parts_read_alike():
    with pytest.raises(DataError, match="texts of one vocabulary"):
        Splits(texts([[0], [1]]), texts([[0], [1]], vocabulary=("no", "yes", "never")))


def test_messages_are_made_up_by_the_seed():
    check_data(messages)
    data = load("messages")
    assert (len(data.train), len(data.test)) == (6000, 2000)
    assert not torch.equal(data.train.inputs, load("messages", seed=1).train.inputs)
    words = data.train.vocabulary
    assert list(words) == sorted(set(words))
    assert data.train.inputs.max() == len(words) - 1  # every word is said
    assert len(data.train.inputs.unique()) == len(words) + 1


def test_messages_say_what_is_wanted_and_where():
    train = load("messages").train
    said = [[train.vocabulary[t] for t in row if t >= 0] for row in train.inputs[:300].tolist()]
    city = train.attributes["city"]
    for words, label, place in zip(said, train.labels, city.values, strict=False):
        named = [word for word in words if word in city.names]
        assert city.names[place] == (named[0] if named else "none")
        if train.classes[label] == "loan":
            assert {"loan", "borrow", "cost"} & set(words)
        assert not any(mark in word for word in words for mark in "{}[]")
