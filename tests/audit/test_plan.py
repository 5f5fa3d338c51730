"""The plan of an audit: an estimate before it begins, and what is given up to fit a time."""

from itertools import pairwise

import pytest
import torch

from mixcon.attacks import Decoder, QueryDecoder, Rmle, RmlePaper, strongest
from mixcon.audit import Effort, Subject, run_audit
from mixcon.audit.costs import Costs, Load, attack_seconds, measure_costs
from mixcon.audit.plan import AuditPlan, Work, fitted
from mixcon.audit.progress import Phases
from mixcon.cli.audit import _budget
from mixcon.errors import ConfigError
from mixcon.evidence import weaknesses
from mixcon.kinds import Kind
from mixcon.reports import figures_of

LARGE = (3, 224, 224)
SLOW = Costs(release=3e-3, gradient=1e-2, lesson=4e-2, likeness=1e-2)


def whole(attacks=None, shape=(1, 28, 28), costs=None, victims=100):
    work = Work(("a", "b"), shape, 10_000, 1000, 10, 32, thorough=True, judged=True)
    chosen = strongest(Kind.IMAGE) if attacks is None else attacks
    return AuditPlan(work, tuple(chosen), victims, costs or Costs())


def test_what_fits_is_done_in_full():
    plan = whole()
    assert fitted(plan, 2 * plan.seconds) is plan
    assert plan.shortened == ()


def test_less_time_less_work_in_a_fixed_order():
    plan = whole()
    found = [fitted(plan, plan.seconds / part) for part in (1, 2, 5, 12, 1e9)]
    lengths = [each.length for each in found]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] == 0.5
    assert found[-1].victims == 10
    for fuller, less in pairwise(found):
        assert set(fuller.omitted) <= set(less.omitted)
        assert less.seconds < fuller.seconds
    for each, part in zip(found[:-1], (1, 2, 5, 12), strict=True):
        assert each.seconds <= plan.seconds / part
    assert [attack.name for attack in found[-1].attacks] == ["rmle", "decoder"]
    assert "deep-prior" in found[-1].omitted
    assert "no deep-prior" in found[-1].shortened


def test_large_inputs_fit_by_giving_up_more():
    small, large = fitted(whole(), 600), fitted(whole(shape=LARGE, costs=SLOW), 600)
    assert large.seconds <= 600
    assert set(small.omitted) < set(large.omitted)


def test_the_last_attack_and_the_papers_steps_stay():
    plan = fitted(whole([RmlePaper()]), 1e-3)
    assert plan.attacks == (RmlePaper(),)
    assert fitted(whole([Decoder(steps=640)]), 1e-3).attacks == (Decoder(steps=10),)


def test_an_attack_that_knows_less_goes_first():
    plan = whole([Decoder(), QueryDecoder()])
    assert [a.name for a in fitted(plan, plan.seconds / 2).attacks] == ["decoder"]


def test_seconds_grow_with_steps_inputs_and_the_choice_of_settings():
    load = Load((1, 28, 28), 100, 1000)

    def seconds(attack, tuned=False, images=100):
        return attack_seconds(attack, Costs(), load._replace(images=images), tuned=tuned)

    assert seconds(Rmle(steps=200)) == pytest.approx(2 * seconds(Rmle(steps=100)))
    assert seconds(Rmle(), images=200) == pytest.approx(2 * seconds(Rmle()))
    assert seconds(Rmle(), tuned=True) > seconds(Rmle())
    assert all(seconds(attack, tuned=True) > 0 for attack in strongest(Kind.IMAGE))


def test_costs_are_measured_and_leave_the_randomness_alone(lenet, few_digits):
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    costs = measure_costs(lenet, few_digits.test.floats())
    assert torch.equal(torch.rand(3), wanted)
    assert 0 < costs.release < costs.gradient
    assert min(costs.likeness, costs.lesson) > 0


def test_an_audit_with_no_time_says_what_it_did_not_do(lenet, few_digits, own_cache, tmp_path):
    planned = []
    report, gallery = run_audit(
        [Subject(lenet)],
        few_digits,
        [Rmle(), Decoder()],
        victims=20,
        thorough=True,
        seconds=1.0,
        keep=tmp_path / "attacks",
        on_plan=planned.append,
    )
    (model,), (plan,) = report.models, planned
    assert len(model.attacks[0].leakage["ssim"]) == plan.victims == 10
    assert model.effort.seconds == 1.0
    assert model.effort.budget < 1
    assert {"no recognizer", "no calibration", "no masking"} <= set(model.effort.shortened)
    assert "stopped by the clock" in model.effort.shortened[-1]
    assert (model.saturation, model.bound, model.label_leakage) == (None, None, None)
    assert gallery.reconstructions["model"]["decoder"].isfinite().all()
    stopped = {a.attack for a in model.attacks if a.attack in model.effort.shortened[-1]}
    assert len(list(tmp_path.glob("attacks/*"))) <= 2 - len(stopped)  # half a work is not kept


def test_what_is_left_out_changes_no_figure_and_is_said(lenet, few_digits, own_cache):
    def audit(*without):
        arguments = ([Subject(lenet)], few_digits, [Rmle(steps=3), Decoder(steps=3)])
        found, _ = run_audit(*arguments, victims=4, thorough=True, without=without)
        return found

    whole = audit("calibration")  # which comes last
    part = audit("saturation", "calibration", "recognizer")
    (model,), (other,) = whole.models, part.models
    assert model.saturation
    assert (other.saturation, part.calibration) == (None, [])
    assert other.effort.shortened == ["no saturation", "no calibration", "no recognizer"]
    assert [a.leakage["ssim"] for a in model.attacks] == [a.leakage["ssim"] for a in other.attacks]
    flaws = figures_of(part).models[0].evidence.flaws
    assert any("no saturation, no calibration" in flaw for flaw in flaws)


def test_whatever_was_shortened_is_weak_evidence():
    full = {"thorough": True, "budget": 1.0, "missing": ()}
    assert list(weaknesses(50, **full)) == []
    effort = Effort(victims=50, seconds=60, shortened=["no masking"], **full)
    assert effort.shortened == ["no masking"]


def test_phases_share_the_time_by_their_weights():
    told = []
    with Phases({("", "a"): 1.0, ("", "b"): 3.0}, told.append, seconds=8.0) as phases:
        phases.begin("", "a")
        first = phases._limit.ends
        phases.begin("", "b")
        assert phases._limit.ends - first == pytest.approx(6.0, abs=2.1)
    assert phases.cut == []


@pytest.mark.parametrize(
    ("text", "found"),
    [(None, (1, None)), ("0.5x", (0.5, None)), ("90s", (1, 90)), ("1.5h", (1, 5400))],
)
def test_a_budget_is_a_time_or_a_factor(text, found):
    assert _budget(text) == found


@pytest.mark.parametrize("text", ["0.5", "10", "0m", "-1m", "m", "1d", "nanx", "1e400x", "0x"])
def test_any_other_budget_is_refused(text):
    with pytest.raises(ConfigError, match="such as 90s, 10m or 1h"):
        _budget(text)
