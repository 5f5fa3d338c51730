"""A recognizer and a meter that several test files share."""

import pytest

from mixcon.metrics import LeakageMeter


@pytest.fixture(scope="session")
def half_digits(digits):
    """The attacker's half of the training digits: inputs and labels."""
    part = digits.train.take(slice(700))
    return part.floats(), part.labels


@pytest.fixture(scope="session")
def meter(digits, half_digits):
    """A meter who read the attacker's half, with the rest of the training digits as candidates."""
    candidates = digits.train.take(slice(700, None)).floats()
    return LeakageMeter.prepare(*half_digits, len(digits.train.classes), candidates, steps=200)


@pytest.fixture(scope="session")
def recognizer(meter):
    """The meter's recognizer."""
    return meter.recognizer


@pytest.fixture(scope="session")
def victims(digits):
    """Test digits and their labels."""
    part = digits.test.take(slice(200))
    return part.floats(), part.labels
