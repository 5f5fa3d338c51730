"""Limits are judged by the upper end of the interval, as every other gate does, and say so."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.sweep.sweep_parts import record

from mixcon.audit import BitsRecord
from mixcon.defenses import DefenseConfig
from mixcon.sweep import Limits, Sweep, SweepConfig, Trial, choose, describe_choice
from mixcon.sweep.search import Search, open_storage
from mixcon.training import TrainConfig

BASE = TrainConfig(data="digits", network="lenet5")


def trial(name, accuracy, **judgments):
    config = BASE.model_copy(update={"defense": DefenseConfig.parse(f"gaussian(sigma={name})")})
    judged = {stage: record(ssim, accuracy) for stage, ssim in judgments.items()}
    return Trial(name, "gaussian", config, Path(name), **judged)


def found(*trials):
    return Sweep(SweepConfig(base=BASE), trials)


SURE = trial("0.2", 0.8, cheap=[0.36] * 20)  # an excess of 0.2, without spread
UNSURE = trial("0.1", 0.9, cheap=[0.2, 0.48] * 10)  # 0.175, and its interval ends at about 0.26


def test_a_mean_within_the_limit_is_not_enough():
    assert UNSURE.excess < SURE.excess < 0.25 < UNSURE.upper_excess
    assert choose(found(SURE, UNSURE), Limits(max_excess=0.25)) is SURE
    assert choose(found(SURE, UNSURE), Limits(max_excess=0.3)) is UNSURE
    assert choose(found(UNSURE), Limits(max_excess=0.2)) is None


def test_the_widest_judgment_counts():
    """The strong attacks found more in the mean; the cheap ones are less sure."""
    both = trial("0.3", 0.8, cheap=[0.2, 0.48] * 10, strong=[0.36] * 20)
    assert both.excess == pytest.approx(0.2)
    assert both.upper_excess == UNSURE.upper_excess


def test_the_report_says_which_number_was_judged():
    limits = Limits(max_excess=0.25)
    text = describe_choice(found(SURE, UNSURE), SURE, limits)
    assert "excess leakage 0.20 (judged by the upper end of its 95 % interval, 0.20)" in text
    text = describe_choice(found(UNSURE), None, Limits(max_excess=0.2))
    assert f"the smallest of these is {UNSURE.upper_excess:.2f}" in text


def test_the_test_set_is_judged_likewise():
    """Its mean keeps to the limit, its upper end does not."""
    tested = trial("0.2", 0.8, cheap=[0.36] * 20, test=[0.2, 0.48] * 10)
    text = describe_choice(found(tested), tested, Limits(max_excess=0.25))
    assert (
        f"80.0% and 0.17 (judged: {UNSURE.upper_excess:.2f}), where the limit is not kept" in text
    )


def test_samplers_are_told_the_upper_end(tmp_path):
    config = SweepConfig(base=BASE, sampler="random", trials=1)
    storage = open_storage(f"sqlite:///{tmp_path / 's.db'}")
    search = Search("s", "mixcon", config, storage, Limits(max_excess=0.25))
    search.tell(search.ask().number, 0.9, UNSURE.excess, UNSURE.upper_excess)
    (told,) = storage.get_all_trials(storage.get_study_id_from_name("s"))
    assert told.values == [0.9, UNSURE.excess]
    assert list(told.constraints.values()) == [pytest.approx(UNSURE.upper_excess - 0.25)]
    storage.engine.dispose()


def with_bits(name, accuracy, bits):
    proved = record([0.36] * 20, accuracy).model_copy(update={"bits": bits})
    return replace(trial(name, accuracy, cheap=[0.36] * 20), cheap=proved)


def test_bits_are_a_limit_that_no_bound_breaks():
    small, large, unproved = (
        with_bits("0.3", 0.7, BitsRecord(maximal_leakage=8.0)),
        with_bits("0.2", 0.8, BitsRecord(maximal_leakage=16.0)),
        with_bits("0.1", 0.9, None),
    )
    trials = found(small, large, unproved)
    assert choose(trials, Limits(max_bits=8)) is small
    assert choose(trials, Limits(max_bits=16)) is large
    assert choose(found(unproved), Limits(max_bits=64)) is None
    text = describe_choice(trials, small, Limits(max_bits=8))
    assert "with at most 8 bits of maximal leakage is gaussian" in text
