"""A recognizer and a judge that several test files share."""

import pytest

from mixcon.metrics import Judge


@pytest.fixture(scope="session")
def half_digits(digits):
    """The attacker's half of the training digits: inputs and labels."""
    part = digits.train.take(slice(700))
    return part.floats(), part.labels


@pytest.fixture(scope="session")
def judge(digits, half_digits):
    """A judge who read the attacker's half, with the rest of the training digits as candidates."""
    candidates = digits.train.take(slice(700, None)).floats()
    return Judge.prepare(*half_digits, len(digits.train.classes), candidates, steps=200)


@pytest.fixture(scope="session")
def recognizer(judge):
    """The judge's recognizer."""
    return judge.recognizer


@pytest.fixture(scope="session")
def victims(digits):
    """Test digits and their labels."""
    part = digits.test.take(slice(200))
    return part.floats(), part.labels
