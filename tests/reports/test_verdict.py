"""The sentences of the verdict follow from the numbers, and from how sure they are."""

import pytest
from tests.reports.report_parts import model, report_on, sound

from mixcon.audit import Effort, SecretRecord
from mixcon.reports import figures_of, rows, verdict


def test_a_defense_that_only_fools_the_weak_attack_is_called_out(report):
    first, second, *_ = verdict(figures_of(report_on(*map(sound, report.models))))
    assert "makes this only somewhat harder (0.80)" in first
    assert "that the MixCon paper used it seems to help (0.60 falls to 0.38)" in first
    assert "costs 3.0 points of accuracy (98.0 % to 95.0 %)" in second
    assert "do not rely on it" in second


def test_a_defense_that_holds():
    report = report_on(
        sound(model("vanilla", 0.98, rmle=[0.9, 0.9])),
        sound(model("noise", 0.98, rmle=[0.2, 0.22])),
    )
    first, second, *_ = verdict(figures_of(report))
    assert "stops this (0.21, where a guess from the class alone gets 0.20)" in first
    assert "costs no accuracy" in second
    assert "a stronger one may come" in second


def test_a_defense_that_harms():
    report = report_on(
        sound(model("vanilla", 0.9, rmle=[0.4])), sound(model("odd", 0.95, rmle=[0.9]))
    )
    first, second, *_ = verdict(figures_of(report))
    assert "leaks even more (0.90)" in first
    assert "accuracy rises by 5.0 points" in second


def test_one_model_alone_and_no_attack():
    first, second, *_ = verdict(figures_of(report_on(sound(model("m", 0.9, rmle=[0.2])))))
    assert "no more of the pictures than their class alone reveals from the model m" in first
    assert "90.0 % of the test inputs" in second
    unknown = model("m", 0.9).model_copy(update={"attacks": []})
    assert "nothing is known" in verdict(figures_of(report_on(unknown)))[0]


FULL = {"thorough": True, "victims": 50, "budget": 1.0, "missing": []}
WEAK = [
    ({"thorough": False}, "--quick"),
    ({"budget": 0.1}, "got 0.1 of their steps"),
    ({"missing": ["decoder", "refined"]}, "left out decoder, refined"),
    (None, "does not say how hard it tried"),
]


@pytest.mark.parametrize(("change", "reason"), WEAK)
def test_a_weak_audit_that_found_little_gives_no_verdict(change, reason):
    effort = None if change is None else Effort(**{**FULL, **change})
    weak = sound(model("m", 0.9, rmle=[0.25, 0.15]), effort=effort)
    first, second, third, *_ = verdict(figures_of(report_on(weak)))
    assert first.startswith("No verdict on m")
    assert "similarity 0.20 of 1; a guess from the class alone gets 0.20" in first
    assert "audit it in full" in second
    assert "no proof that they are hidden" in third
    assert reason in third
    assert "hides" not in first + second


def test_a_weak_audit_that_found_a_leak_says_so():
    first, second, third, *_ = verdict(figures_of(report_on(model("m", 0.9, rmle=[0.9, 0.8]))))
    assert "redraw the pictures clearly" in first
    assert "do not rely on it" in second
    assert "attacked 2 inputs, and 50 are the least" in third


def test_a_weak_audit_does_not_say_that_a_defense_stops_anything():
    models = (model("vanilla", 0.98, rmle=[0.9, 0.9]), model("noise", 0.98, rmle=[0.2, 0.22]))
    text = " ".join(verdict(figures_of(report_on(*models))))
    assert "No verdict on noise" in text
    assert "stops" not in text


def test_an_attack_that_does_worse_than_the_floor_failed():
    report = report_on(sound(model("m", 0.9, rmle=[0.1, 0.0])))
    text = " ".join(verdict(figures_of(report)))
    assert "No verdict on m" in text
    assert "its attacks failed: the excess leakage, -0.19 [" in text
    assert rows(figures_of(report))[0]["Excess leakage"].endswith(", attacks failed")


def test_an_interval_that_reaches_the_floor_is_no_failure():
    report = report_on(sound(model("m", 0.9, rmle=[0.1, 0.29])))
    assert "failed" not in " ".join(verdict(figures_of(report)))


def test_a_failed_attack_is_no_merit_when_the_best_defense_is_chosen():
    failed = sound(model("failed", 0.9, rmle=[0.0, 0.0]))
    good = sound(model("good", 0.95, rmle=[0.2, 0.22]))
    plain = sound(model("vanilla", 0.98, rmle=[0.9, 0.9]))
    first, _, third, *_ = verdict(figures_of(report_on(plain, failed, good)))
    assert "the best of the 2 defended ones, good, stops this" in first
    assert "failed: its attacks failed" in third


@pytest.mark.parametrize("accuracies", [(0.097, 0.097), (0.097, 0.9), (0.9, 0.097)])
def test_no_verdict_on_a_model_at_chance(accuracies):
    models = [
        sound(model(name, accuracy, rmle=[0.9, 0.3]), chance=0.1094)
        for name, accuracy in zip(("vanilla", "noise"), accuracies, strict=True)
    ]
    report = report_on(*models)
    text = " ".join(verdict(figures_of(report)))
    undefended = "An attacker in the cloud who sees what the device sends can redraw the pictures"
    assert text.startswith("No verdict on " if accuracies[0] < 0.1 else undefended)
    assert "No verdict on " in text
    assert "9.7 % of the test inputs correctly, which cannot be told from guessing" in text
    assert "guessing gets up to 10.9 %" in text
    assert "costs" not in text
    assert "9.7 %, at chance" in {row["Accuracy"] for row in rows(figures_of(report))}


def test_a_model_at_chance_that_gives_its_inputs_away_is_not_passed_over():
    dead = sound(model("dead", 0.1, rmle=[0.9, 0.95]))
    assert "As it is, what it sends gives the inputs away (similarity 0.93 of 1)" in " ".join(
        verdict(figures_of(report_on(dead)))
    )
    dead = sound(model("dead", 0.1, rmle=[0.3, 0.35]))
    assert "gives the inputs away" not in " ".join(verdict(figures_of(report_on(dead))))


@pytest.mark.parametrize(
    ("victims", "overlooked"),
    [([1.0, 0.9], "rmle"), ([0.36, 0.3], None), ([0.22, 0.58], None)],
    ids=["far", "near", "by chance"],
)
def test_own_samples_that_do_not_speak_for_the_victims_give_no_verdict(victims, overlooked):
    """Such as those of a device that knows what it was trained on, and sends less of it."""
    times = 2 if victims[0] < 0.3 else 50
    found = sound(model("m", 0.9, decoder=[0.3, 0.3], rmle=victims), times)
    own = {"decoder": 0.5, "rmle": 0.1}
    attacks = [a.model_copy(update={"auxiliary": {"ssim": own[a.attack]}}) for a in found.attacks]
    figures = figures_of(report_on(found.model_copy(update={"attacks": attacks})))
    (summary,) = figures.models
    assert summary.chosen == "decoder"
    assert summary.evidence.overlooked == overlooked
    said = any("own samples chose" in flaw for flaw in summary.evidence.objections(0.9))
    assert said == bool(overlooked)


def test_a_probe_that_failed_hides_nothing():
    def secret(accuracy):
        interval = (accuracy - 0.04, accuracy + 0.04)
        return SecretRecord(
            name="sex", values=2, inputs=500, accuracy=accuracy, interval=interval, blind=0.52,
            from_class=0.57, most=1.0,
        )  # fmt: skip

    for accuracy, said in ((0.47, "The probe of the sex failed on m"), (0.92, "tells a probe")):
        one = model("m", 0.9, rmle=[0.9, 0.8]).model_copy(update={"secrets": [secret(accuracy)]})
        assert said in verdict(figures_of(report_on(one)))[-1]


def test_a_model_at_chance_is_not_the_best_defense():
    plain = sound(model("vanilla", 0.98, rmle=[0.9, 0.9]))
    good = sound(model("good", 0.95, rmle=[0.3, 0.32]))
    dead = sound(model("dead", 0.1, rmle=[0.2, 0.2]))
    assert ", and the defended one makes this much harder (0.31)" in " ".join(
        verdict(figures_of(report_on(plain, dead, good)))
    )


def named(model, attack, guess):
    """The model, whose reconstructions and guesses name so many of 50 inputs in their class."""

    def with_hits(record, hits):
        column = [1.0] * hits + [0.0] * (50 - hits)
        leakage = {**record.leakage, "reidentification_in_class": column}
        return record.model_copy(update={"leakage": leakage})

    model = sound(model)
    return model.model_copy(
        update={
            "attacks": [with_hits(each, attack) for each in model.attacks],
            "guesses": [with_hits(each, guess) for each in model.guesses],
        }
    )


def test_what_names_its_input_hides_nothing_however_unlike_it_is():
    models = [model(name, 0.9, rmle=[0.21]) for name in ("vanilla", "noise")]
    first, second, *rest = verdict(
        figures_of(report_on(named(models[0], 40, 1), named(models[1], 22, 1)))
    )
    assert "tell 80% of the inputs from others of their class by what comes back" in first
    assert "tell 44% of the inputs from others of their class" in second
    assert "do not rely on it to hide which one it was" in second
    assert "names 44% of the inputs among others of their class, where the guess names 2%" in (
        " ".join(rest)
    )


def test_who_wants_names_chooses_by_names():
    """The attack that comes nearest to the originals may name fewer than another."""
    metric = "reidentification_in_class"
    hits = {"decoder": 21, "generative-prior": 32, "class-ssim": 1}
    own = {"decoder": 0.5, "generative-prior": 0.7, "class-ssim": 0.1}

    def with_names(record, name, chosen_by):
        column = [1.0] * hits[name] + [0.0] * (50 - hits[name])
        auxiliary = record.auxiliary | ({metric: own[name]} if chosen_by else {})
        leakage = {**record.leakage, metric: column}
        return record.model_copy(update={"leakage": leakage, "auxiliary": auxiliary})

    found = sound(model("noise", 0.9, **{"decoder": [0.3], "generative-prior": [0.25]}))
    for chosen_by, share in ((True, 0.64), (False, 0.42)):
        names = {
            "attacks": [with_names(a, a.attack, chosen_by) for a in found.attacks],
            "guesses": [with_names(g, g.guess, chosen_by) for g in found.guesses],
        }
        figures = figures_of(report_on(found.model_copy(update=names)))
        (summary,) = figures.models
        who = "generative-prior" if chosen_by else "it"
        assert f"{who} names {share:.0%} of the inputs" in " ".join(verdict(figures))
        assert summary.chosen == "decoder"
        assert sum(summary.named.leakage) / 50 == pytest.approx(share)
        assert summary.evidence.named == pytest.approx((share - 0.02) / 0.98)


def test_of_attacks_that_name_own_samples_alike_the_headline_s_counts():
    metric = "reidentification_in_class"
    found = sound(model("m", 0.9, decoder=[0.3], rmle=[0.4], posterior=[0.2]))
    hits = {"decoder": 0.0, "rmle": 1.0, "posterior": 1.0, "class-ssim": 0.0}

    def with_names(record, name):
        leakage = {**record.leakage, metric: [hits[name]] * 50}
        return record.model_copy(
            update={"leakage": leakage, "auxiliary": {**record.auxiliary, metric: 1.0}}
        )

    names = {
        "attacks": [with_names(a, a.attack) for a in found.attacks],
        "guesses": [with_names(g, g.guess) for g in found.guesses],
    }
    (summary,) = figures_of(report_on(found.model_copy(update=names))).models
    assert (summary.chosen, summary.named.attack) == ("rmle", "rmle")


@pytest.mark.parametrize(("attack", "guess"), [(1, 0), (3, 2), (0, 0)])
def test_a_hit_by_chance_is_none(attack, guess):
    report = report_on(named(model("m", 0.9, rmle=[0.2]), attack, guess))
    assert "it hides the inputs from every attack tried here" in " ".join(
        verdict(figures_of(report))
    )
