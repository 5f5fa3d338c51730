"""A fair audit: devices of known leakage get the right excess, and small leakage is bracketed."""

from dataclasses import replace
from statistics import mean

import pytest
import torch
from torch import nn

from mixcon.attacks import Auxiliary, Decoder, Posterior, Rmle
from mixcon.attacks.prototypes import most_alike
from mixcon.audit import Subject, run_audit
from mixcon.audit.bits import certified_bits, prove
from mixcon.audit.guesses import LabelGuesses
from mixcon.audit.model_audit import ModelAudit
from mixcon.audit.reference_devices import EXPECTED, Label
from mixcon.audit.setup import Setup
from mixcon.bounds import noisy_sphere_leakage
from mixcon.channels import GaussianNoise, Normalize, compose
from mixcon.data import Splits
from mixcon.defenses import DefenseConfig
from mixcon.metrics import reidentify, ssim
from mixcon.models import build
from mixcon.reports.figures import figures_of
from mixcon.split import Sizes, SplitModel

VICTIMS = 60


@pytest.fixture(scope="module")
def report(digits):
    attacks = [Posterior(steps=10), Decoder(steps=5), Rmle(steps=3)]
    plain = build("lenet5", (1, 28, 28), 10)
    noisy = SplitModel(plain.encoder, plain.head, GaussianNoise(0.05)).eval()
    found, _ = run_audit([Subject(noisy, "noisy")], digits, attacks, victims=VICTIMS, thorough=True)
    return found


def test_a_thorough_audit_examines_noise(report):
    (model,) = report.models
    own = {"psim", "recognition", "reidentification", "reidentification_in_class"}
    assert {"ssim", *own} <= set(model.attacks[0].leakage)
    assert {"global-mean", "class-mean", "nearest-neighbor"} == set(model.floors)
    assert not model.bound.vacuous
    assert model.bound.mse > 0
    assert 0 <= model.label_leakage <= 1
    assert len(model.masking) == 3
    assert report.ceiling["ssim"] == pytest.approx(1)
    assert "psim" in report.notes


@pytest.mark.parametrize("name", EXPECTED)
def test_devices_of_known_leakage_get_the_right_excess(report, name):
    """All attacks together, over as many label-only guesses: 0 within the interval, or 1."""
    row = next(c for c in figures_of(report).calibration if c.summary.model == name)
    low, high = row.summary.interval
    assert low - 0.02 <= EXPECTED[name] <= high + 0.02, (row.summary.excess, low, high)


def test_guesses_are_scored_and_as_many_as_the_attacks(report):
    for record in (*report.models, *report.calibration):
        assert len(record.guesses) >= len(record.attacks)
        assert all("ssim" in g.auxiliary for g in record.guesses)
        assert all("ssim" in a.auxiliary for a in record.attacks)


def test_names_are_scored_on_samples_that_taught_nothing(report, digits):
    """From the identity they come back first of all candidates, from a constant anywhere."""
    best = {
        record.name: max(attack.auxiliary["reidentification"] for attack in record.attacks)
        for record in report.calibration
    }
    assert best["identity"] > 0.9
    assert best["constant"] < 0.2
    setup = Setup.of(digits, 20, 0, meter=None, thorough=True, begin=silent)
    own = setup.auxiliary.inputs
    noisy = (own[: setup.scored] + own[setup.scored : 2 * setup.scored]) / 2
    ranks = reidentify(noisy, own[: setup.scored], own[setup.scored : setup.held]).rank
    assert setup.scores(noisy)["reidentification"] == pytest.approx((1 / ranks).mean().item())


def test_what_is_proved_does_not_hang_on_the_order_of_the_samples(digits, lenet):
    """A certificate from half of the classes would say nothing of the other half."""
    noisy = SplitModel(lenet.encoder, lenet.head, compose(Normalize(), GaussianNoise(0.5))).eval()
    by_class = digits.test.take(digits.test.labels.argsort(stable=True))
    one, other = (prove(noisy, part).mutual_information for part in (digits.test, by_class))
    assert one == pytest.approx(other, rel=0.1)


def test_a_resumed_audit_chooses_no_settings_again(report, digits, tmp_path, monkeypatch):
    """After the report, with which it shares the calibration."""

    def once():
        arguments = ([Subject(model)], digits, [Rmle(steps=3)])
        found, _ = run_audit(*arguments, victims=VICTIMS, thorough=True, keep=tmp_path)
        return found.models[0].attacks[0]

    model = build("lenet5", (1, 28, 28), 10).eval()
    first = once()
    assert first.settings in [attack.settings for attack in Rmle(steps=3).candidates()]

    def never(*_):
        raise AssertionError("chosen again")

    monkeypatch.setattr(Rmle, "tuned", never)
    assert once() == first


def test_a_resumed_audit_of_noise_gives_the_same_numbers(few_digits, lenet, own_cache, tmp_path):
    """What is measured after attacks meets the same noise whether these ran or were kept."""
    noisy = SplitModel(lenet.encoder, lenet.head, GaussianNoise(0.5)).eval()

    def audit(*attacks, keep):
        arguments = ([Subject(noisy)], few_digits, [Decoder(steps=3), *attacks])
        rest = ["recognizer", "calibration"]
        found, _ = run_audit(*arguments, victims=20, thorough=True, keep=keep, without=rest)
        return found.models[0]

    audit(keep=tmp_path)
    fresh, resumed = audit(Rmle(steps=3), keep=None), audit(Rmle(steps=3), keep=tmp_path)
    for one, other in zip(fresh.attacks, resumed.attacks, strict=True):
        assert (one.leakage, one.auxiliary) == (other.leakage, other.auxiliary)
    assert fresh.model_copy(update={"attacks": []}) == resumed.model_copy(update={"attacks": []})


OMITTED = ("recognizer", "masking", "bound", "label leakage")


def silent(*_):
    return lambda _: None


class Dark(nn.Module):
    """A classifier that has learned nothing but whether an image is dark."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        dark = (x.flatten(1).mean(1) < 0.5).long()
        return nn.functional.one_hot(dark, 10) * self.scale


def half_negative(part):
    inputs = part.inputs.clone()
    inputs[::2] = 255 - inputs[::2]
    return replace(part, inputs=inputs)


def test_guesses_are_made_of_what_is_predicted_alike(digits):
    """A prediction that tells the look of an input, not its class, is guessed from as well."""
    data = Splits(half_negative(digits.train), half_negative(digits.test))

    setup = Setup.of(
        data, 60, 0, meter=None, thorough=True, begin=silent, length=0.5, omitted=("recognizer",)
    )
    device = SplitModel(Label(Dark()), nn.Identity()).eval()
    audited = ModelAudit(Subject(device, "dark"), setup, None, None, silent)
    guesses = {guess.guess: mean(guess.leakage["ssim"]) for guess in audited.guessed(4)}
    ((attack,), *_) = audited.attacked([Posterior()], tune=False)
    assert guesses["class-ssim"] > mean(attack.leakage["ssim"]) - 0.02
    assert guesses["class-ssim"] > guesses["any-ssim"] + 0.05


def test_guesses_are_scored_by_all_samples_that_are_held_out(digits, lenet, monkeypatch):
    """Few would pick a worse guess by chance, and so let a model seem to leak more than it does."""
    setup = Setup.of(
        digits, 5, 0, meter=None, thorough=True, begin=silent, length=0.05, omitted=OMITTED
    )
    seen, scores = [], Setup.scores
    monkeypatch.setattr(Setup, "scores", lambda self, x: seen.append(len(x)) or scores(self, x))
    ModelAudit(Subject(lenet), setup, None, None, silent).guessed(4)
    assert set(seen) == {setup.held}
    assert setup.held > setup.scored


def test_an_attack_of_half_the_steps_is_kept_apart(digits, lenet, tmp_path):
    """It inverts the victims alone, where an attack that is asked for inverts samples as well."""
    setup = Setup.of(
        digits, 5, 0, meter=None, thorough=True, begin=silent, length=0.05, omitted=OMITTED
    )
    for steps in (10, 20, 10):
        audited = ModelAudit(Subject(lenet), setup, tmp_path, None, silent)
        record, _ = audited.run([Decoder(steps=steps)])
        assert record.saturation.doubling is not None
        assert record.attacks[0].auxiliary


def test_the_image_that_is_best_for_ssim_beats_the_mean(digits):
    data = Auxiliary(digits.train.floats(), digits.train.labels)
    guesses = LabelGuesses.learn(data, range(10), 6, seed=0, on_step=lambda _: None)
    assert guesses.names[4:] == ["class-kind-1", "class-kind-2"]
    test = digits.test
    found = {n: ssim(g, test.floats()).mean() for n, g in guesses.of(test.labels)}
    assert found["class-ssim"] > found["class-mean"] + 0.01
    assert found["class-ssim"] > found["any-ssim"] + 0.05


def test_most_alike_finds_the_only_sample():
    torch.manual_seed(0)
    x = torch.rand(3, 1, 16, 16)
    members = torch.tensor([[2], [0], [1]])
    found = most_alike(torch.full_like(x, 0.5), x, members, torch.ones(3, 1), steps=300)
    assert ssim(found, x[members[:, 0]]).min() > 0.9


def test_the_posterior_of_a_code_is_its_cell(digits):
    """No attacker does better than the cells allow, and this one nearly does as well."""
    torch.manual_seed(0)
    encoder = torch.nn.Flatten()
    defense = DefenseConfig.parse("code(bits=6)").build(Sizes((1, 28, 28), (784,), 10))
    channel = defense.channel.train()
    channel(encoder(digits.train.floats()))
    model = SplitModel(encoder, defense.behind(torch.nn.Linear(784, 10)), channel).eval()
    proved = prove(model, digits.test)
    assert proved.maximal_leakage == proved.capacity == 6
    assert proved.cells <= 64
    found, _ = run_audit([Subject(model, "code")], digits, [Posterior()], victims=60, thorough=True)
    attack = found.models[0].attacks[0]
    assert torch.tensor(attack.leakage["ssim"]).mean() < proved.cell_ssim + 0.03
    assert torch.tensor(attack.leakage["mse"]).mean() > 0.9 * proved.cell_mse


def test_bits_of_noise_follow_from_the_channels():
    model = SplitModel(torch.nn.Flatten(), torch.nn.Linear(10, 2),
                       compose(Normalize(), GaussianNoise(0.2)))  # fmt: skip
    leakage, capacity = certified_bits(model, (10,))
    assert leakage == noisy_sphere_leakage(10, 0.2)
    assert capacity < leakage
    assert certified_bits(model, (10,), repeats=4)[0] > leakage
    bare = SplitModel(torch.nn.Flatten(), torch.nn.Linear(10, 2), GaussianNoise(0.2))
    assert certified_bits(bare, (10,)) == (None, None)  # norms are not bounded


def test_repeats_help_against_noise_and_not_against_a_code(digits):
    def leakage(channel, repeats):
        torch.manual_seed(0)
        model = SplitModel(torch.nn.Flatten(), torch.nn.Linear(784, 10), channel).eval()
        found, _ = run_audit(
            [Subject(model, "m")], digits, [Posterior()], victims=40, repeats=repeats
        )
        return sum(found.models[0].attacks[0].leakage["ssim"]) / 40

    noisy = compose(Normalize(), GaussianNoise(0.2))
    assert leakage(noisy, 64) > leakage(noisy, 1) + 0.03
