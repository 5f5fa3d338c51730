"""Progress of a sweep: one share of all its work, by a plan, that never falls."""

from itertools import pairwise

from mixcon.attacks import Rmle
from mixcon.sweep.progress import SweepPlan


def test_one_share_counts_over_all_phases(finished):
    told = finished.told
    assert [p.phase for a, p in pairwise([None, *told]) if not a or a.phase != p.phase] == [
        "search",
        "judge",
        "test",
        "seeds",
    ]
    assert all(a.done <= b.done for a, b in pairwise(told))
    assert told[0].done < 0.2
    assert told[-1].done == 1
    searched = [p for p in told if p.phase == "search"]
    assert [p.ended for p in searched if p.news] == [1, 2, 3, 4, 5]
    assert searched[0].total == 5
    ends = [p.done for p in searched if p.news]
    assert all(a < b for a, b in pairwise(ends))  # every trial that ends moves it


def test_jobs_on_their_way_move_it(finished):
    """The pool says that half of each is done."""
    first = finished.told[0]
    assert [job.share for job in first.jobs] == [0.5, 0.5]
    assert first.ended == 0
    assert first.done > 0


def plan(config, **options):
    attacks = {"cheap": [Rmle(steps=10)], "strong": [Rmle()], "test": [Rmle()]}
    return SweepPlan(config, 1000, attacks, **options)


def test_the_plan_is_by_expected_work(tiny):
    """Five trials of three epochs on 1000 samples against a front of a few, attacked in full."""
    brief, long = plan(tiny(), limited=False), plan(tiny(epochs=3000), limited=False)
    assert brief.report("search", 1.0) < 0.2 < 0.9 < long.report("search", 1.0) < 1
    front, one = plan(tiny(), limited=False), plan(tiny(), limited=True)
    assert front.report("search", 1.0) < one.report("search", 1.0)  # one choice is tested
    once, often = plan(tiny(), limited=False), plan(tiny(seeds=5), limited=False)
    assert often.report("test", 1.0) < once.report("test", 1.0)


def test_the_bar_jumps_ahead_and_waits_but_never_falls(tiny):
    few, many = plan(tiny(), limited=False), plan(tiny(), limited=False)
    before = few.report("search", 1.0)
    few.begin("judge", 1)  # of three that were expected
    assert few.report("judge", 0.0) > before
    many.report("search", 1.0)
    many.begin("judge", 50)
    assert many.report("judge", 0.0) == before
    few.begin("test", 2)
    few.begin("seeds", 0)
    assert few.report("seeds", 1.0) == 1
