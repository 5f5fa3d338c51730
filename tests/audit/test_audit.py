"""The audit: honest victims, floors, and records that tell how to measure again."""

import pytest
import torch
from torch import nn

from mixcon.attacks import Rmle, RmlePaper, RmlePaperVector
from mixcon.audit import Subject, run_audit
from mixcon.audit.bound import bound
from mixcon.channels import GaussianNoise, LaplaceNoise, Normalize, Quantize, compose
from mixcon.data import LabeledSet, Splits
from mixcon.errors import ConfigError, KnowledgeError
from mixcon.metrics import ssim
from mixcon.split import SplitModel
from mixcon.training import accuracy


def test_records_what_came_back(lenet, digits):
    seen = []
    report, gallery = run_audit(
        [Subject(lenet, network="lenet5", cut="pool2")],
        digits,
        [RmlePaper(steps=3), Rmle(steps=5)],
        victims=6,
        on_progress=seen.append,
    )
    (model,) = report.models
    assert gallery.originals.shape == (6, 1, 28, 28)
    for record in model.attacks:
        found = gallery.reconstructions["model"][record.attack]
        assert record.leakage["ssim"] == ssim(found, gallery.originals).tolist()
    assert model.accuracy == accuracy(lenet, digits.test)
    assert model.test_images == len(digits.test)
    assert model.numbers_sent == 400
    assert model.attacks[1].settings == Rmle(steps=5).settings
    assert {p.phase for p in seen} >= {"rmle-paper", "rmle"}
    assert torch.__version__.startswith(report.environment.versions["torch"])


def test_victims_are_test_images_and_the_seed_decides(lenet, digits):
    def victims(seed):
        return run_audit([Subject(lenet)], digits, [], victims=5, seed=seed)[1].originals

    assert torch.equal(victims(0), victims(0))
    assert not torch.equal(victims(0), victims(1))
    test = digits.test.floats()
    assert all((victim == test).flatten(1).all(1).any() for victim in victims(0))


def test_floors_use_the_predicted_class_and_training_images_alone(lenet, digits):
    report, gallery = run_audit([Subject(lenet)], digits, [], victims=20)
    predicted = lenet(gallery.originals).argmax(1)
    train = digits.train.floats()
    guess = torch.stack([train[digits.train.labels == k].mean(0) for k in predicted])
    assert report.models[0].floors["class-mean"]["ssim"] == pytest.approx(
        ssim(guess, gallery.originals).tolist(), abs=1e-5
    )


def test_the_channel_is_part_of_what_is_attacked(lenet, digits):
    noisy = SplitModel(lenet.encoder, lenet.head, GaussianNoise(50.0))
    report, _ = run_audit(
        [Subject(lenet, "plain"), Subject(noisy, "noisy")], digits, [Rmle(steps=100)], victims=10
    )
    plain, hidden = (sum(m.attacks[0].leakage["ssim"]) / 10 for m in report.models)
    assert hidden < plain - 0.2


def test_same_seed_same_records_and_nothing_of_the_callers_changes(lenet, digits):
    noisy = SplitModel(lenet.encoder, lenet.head, GaussianNoise(0.1)).train()
    state = torch.random.get_rng_state()
    first, second = (
        run_audit([Subject(noisy)], digits, [Rmle(steps=5)], victims=4)[0].models[0] for _ in "ab"
    )
    assert torch.equal(torch.random.get_rng_state(), state)
    assert noisy.training
    for record in (first, second):
        object.__setattr__(record.attacks[0], "seconds", 0.0)
    assert first == second


def test_vectors():
    generator = torch.Generator().manual_seed(0)
    part = LabeledSet(
        "v", torch.randn(40, 6, generator=generator), torch.arange(40) % 2, ("a", "b")
    )
    torch.manual_seed(0)
    model = SplitModel(nn.Linear(6, 8), nn.Linear(8, 2))
    report, _ = run_audit([Subject(model)], Splits(part, part), [Rmle()], victims=10)
    assert set(report.models[0].attacks[0].leakage) == {"mse", "cosine"}
    assert max(report.models[0].attacks[0].leakage["mse"]) < 1e-2


def test_misuse_in_python_is_told_in_words(lenet, digits):
    for subjects, attacks, message in (
        ([lenet], [], r"expected models such as Subject\(split_model.*, but got SplitModel"),
        ([Subject(nn.Linear(2, 2))], [], r"but got Subject\(Linear\)"),
        ([Subject(lenet)], ["rmle"], r"expected attacks such as Decoder\(\), but got 'rmle'"),
        ([Subject(lenet)], [Rmle], "but got <class"),
        (
            [Subject(SplitModel(nn.Conv2d(3, 4, 3), nn.Flatten()))],
            [],
            "samples of digits, of shape",
        ),
    ):
        with pytest.raises(ConfigError, match=message):
            run_audit(subjects, digits, attacks, victims=2)


@pytest.mark.parametrize(
    ("subjects", "attacks", "victims", "message"),
    [
        (1, [], 0, "between 1 and 364 victims"),
        (1, [], 365, "but got 365"),
        (2, [], 5, "models of different names"),
        (0, [], 5, "models of different names"),
        (1, [Rmle(), Rmle(lr=0.2)], 5, "attacks of different names"),
    ],
)
def test_misuse_is_refused(lenet, digits, subjects, attacks, victims, message):
    with pytest.raises(ConfigError, match=message):
        run_audit([Subject(lenet)] * subjects, digits, attacks, victims=victims)


def test_a_finished_attack_is_kept(lenet, digits, tmp_path, monkeypatch):
    def once(seed=0, steps=3):
        return run_audit(
            [Subject(lenet)], digits, [RmlePaper(steps=steps)], victims=4, seed=seed, keep=tmp_path
        )[1].reconstructions["model"]["rmle-paper"]

    first = once()

    def never(*_):
        raise AssertionError("ran again")

    monkeypatch.setattr(RmlePaper, "_fit", never)
    assert torch.equal(once(), first)
    for changed in ({"seed": 1}, {"steps": 4}):
        with pytest.raises(AssertionError, match="ran again"):
            once(**changed)
    with torch.no_grad():
        lenet.encoder[0].bias += 1
    with pytest.raises(AssertionError, match="ran again"):
        once()


def test_a_damaged_copy_is_made_again(lenet, digits, tmp_path):
    arguments = ([Subject(lenet)], digits, [RmlePaper(steps=2)])
    run_audit(*arguments, victims=3, keep=tmp_path)
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:40])
    run_audit(*arguments, victims=3, keep=tmp_path)
    assert len(kept.read_bytes()) == len(whole)


@pytest.mark.parametrize(
    ("channel", "vacuous"),
    [
        (nn.Identity(), True),
        (Quantize(4), True),
        (compose(Normalize(), GaussianNoise(0.1)), False),
        (compose(LaplaceNoise(0.1), Quantize(4)), False),
        (compose(Quantize(4), GaussianNoise(0.1)), True),
        (GaussianNoise(0.0), True),
    ],
)
def test_the_bound_holds_where_noise_is(lenet, digits, channel, vacuous):
    model = SplitModel(lenet.encoder, lenet.head, channel)
    assert bound(model, digits.test.floats(slice(3))).vacuous is vacuous


def test_what_really_crossed_is_attacked_instead(lenet, digits):
    _, gallery = run_audit([Subject(lenet)], digits, [], victims=4)
    attack = [RmlePaper(steps=3)]
    crossed = lenet.release(gallery.originals).detach()
    plain, same, other = (
        run_audit([Subject(lenet)], digits, attack, victims=4, captured=z)[0].models[0].attacks[0]
        for z in (None, crossed, crossed + 1)
    )
    assert plain.leakage == same.leakage
    assert plain.leakage != other.leakage
    with pytest.raises(ConfigError, match="4 captured representations"):
        run_audit([Subject(lenet)], digits, attack, victims=4, captured=crossed[:3])


def test_small_images_and_unfit_attacks_are_refused_before_the_work(digits):
    seen = []

    def small(labeled):
        return LabeledSet(
            "small", labeled.inputs[:, :, ::4, ::4].clone(), labeled.labels, labeled.classes
        )

    tiny = Splits(small(digits.train), small(digits.test))
    subject = Subject(SplitModel(nn.Flatten(), nn.Linear(49, 10)))
    with pytest.raises(ConfigError, match="11 x 11"):
        run_audit(
            [subject], tiny, [Rmle(steps=3)], victims=3, thorough=True, on_progress=seen.append
        )
    with pytest.raises(KnowledgeError, match="rmle-paper-vector"):
        run_audit(
            [subject],
            digits,
            [Rmle(steps=3), RmlePaperVector()],
            victims=3,
            on_progress=seen.append,
        )
    assert not seen


def test_the_record_names_the_weights(lenet, digits):
    def weights():
        return run_audit([Subject(lenet)], digits, [], victims=2)[0].models[0].weights

    before = weights()
    assert weights() == before
    with torch.no_grad():
        lenet.encoder[0].bias += 1
    assert weights() != before


class Overwriting(nn.Module):
    """Negates what it is given before the rest of the work: in place, or not."""

    def __init__(self, rest, inplace):
        super().__init__()
        self.rest, self.inplace = rest, inplace

    def forward(self, x):
        return self.rest(x.neg_().neg().add_(0.0) if self.inplace else x)


@pytest.mark.parametrize("part", ["encoder", "channel", "head"])
def test_a_part_that_overwrites_what_it_is_given_leaks_as_much(lenet, digits, part):
    """The same weights with operations in place and without have the same audit."""

    def audited(inplace):
        parts = {"encoder": lenet.encoder, "channel": nn.Identity(), "head": lenet.head}
        parts[part] = Overwriting(parts[part], inplace)
        report, gallery = run_audit(
            [Subject(SplitModel(**parts))], digits, [Rmle(steps=60)], victims=4
        )
        return report.models[0], gallery.originals

    (safe, truth), (risky, same_truth) = audited(False), audited(True)
    assert torch.equal(truth, same_truth)
    assert risky.attacks[0].leakage["ssim"] == safe.attacks[0].leakage["ssim"]
    assert risky.floors == safe.floors
    assert sum(safe.attacks[0].leakage["ssim"]) / 4 > 0.5
