"""A plan of a long work: weights, parts that are skipped, and a share that never falls."""

from hypothesis import given
from hypothesis import strategies as st

from mixcon.progress import Plan


def test_parts_count_by_their_weights_at_once_or_in_turn():
    plan = Plan({"a": 3.0, "b": 1.0})
    assert plan.report("a", 0.5) == 0.375
    assert plan.report("b", 0.5) == 0.5  # beside the first


def test_a_part_that_is_skipped_counts_as_done():
    plan = Plan({"a": 1.0, "b": 2.0, "c": 1.0})
    assert plan.begin("c") == 0.75
    assert plan.report("c", 1.0) == 1


def test_a_part_that_weighs_more_than_planned_lets_the_share_wait():
    plan = Plan({"a": 1.0, "b": 1.0})
    assert plan.report("a", 1.0) == 0.5
    assert plan.begin("b", 9.0) == 0.5
    assert plan.report("b", 4 / 9) == 0.5
    assert plan.report("b", 1.0) == 1


def test_work_that_weighs_nothing_is_not_divided_by():
    assert Plan({"a": 0.0}).report("a", 1.0) == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1), st.floats(0, 1e6))))
def test_the_share_never_falls_nor_leaves_its_range(steps):
    plan, last = Plan(dict.fromkeys("abc", 1.0)), 0.0
    for part, share, weight in steps:
        begun = plan.begin(part, weight)
        done = plan.report(part, share)
        assert 0 <= last <= begun <= done <= 1
        last = done
