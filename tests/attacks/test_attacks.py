"""What every attack keeps, and what each is worth on encoders whose leakage is known."""

import dataclasses
import math

import pytest
import torch
from torch import nn

from mixcon.attacks import (
    ATTACKS,
    Auxiliary,
    Decoder,
    GaussNewton,
    Knowledge,
    Posterior,
    Query,
    Refined,
    Rmle,
    RmlePaper,
    RmlePaperVector,
    WhiteBox,
    strongest,
)
from mixcon.attacks._descent import total_variation
from mixcon.attacks.base import held_out
from mixcon.audit.setup import scored_of
from mixcon.channels import GaussianNoise
from mixcon.data import load
from mixcon.errors import KnowledgeError, MixconError, NonFiniteError
from mixcon.metrics import ssim
from mixcon.testing import check_attack, check_no_oracle

IMAGE, VECTOR, TEXT = (1, 28, 28), (6,), (3, 5)


class Scale(nn.Module):
    """Whatever the input, times a number, clipped: gradients vanish or explode."""

    def __init__(self, factor):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(factor))

    def forward(self, x):
        return x * self.weight


class Level(nn.Module):
    """A head for whatever comes: ten classes by the mean of z."""

    def forward(self, z):
        return z.flatten(1).mean(1, keepdim=True) * torch.arange(10.0)


def own_samples(shape):
    """The attacker's: images of digits, or random vectors or texts."""
    if shape == IMAGE:
        train = load("digits").train.take(slice(300))
        return Auxiliary(train.floats(), train.labels)
    generator = torch.Generator().manual_seed(7)
    if shape == TEXT:
        words = torch.randint(5, (300, 3), generator=generator)
        return Auxiliary(torch.eye(5)[words], words[:, 0])
    samples = torch.randn(300, *shape, generator=generator)
    return Auxiliary(samples, (samples[:, 0] > 0).long())


def knowledge(encoder, shape=IMAGE):
    """Everything that an attacker may know."""
    return WhiteBox.of(
        encoder,
        shape=shape,
        box=(0.0, 1.0) if len(shape) == 3 else None,
        auxiliary=own_samples(shape),
        head=Level(),
    )


def quick(name, steps=8):
    """The attack with few steps, for what does not depend on its strength."""
    kind = ATTACKS[name]
    counted = [f.name for f in dataclasses.fields(kind) if f.name.endswith("steps")]
    return kind(**dict.fromkeys(counted, steps))


def seeded(attack, known, z):
    """The reconstructions, always from the same seed."""
    torch.manual_seed(3)
    return attack.fit(known)(z)


def shape_for(attack):
    return next(
        shape
        for kind, shape in (("image", IMAGE), ("vector", VECTOR), ("text", TEXT))
        if kind in attack.inputs
    )


@pytest.fixture(params=ATTACKS)
def attack(request):
    return quick(request.param)


@pytest.fixture
def case(attack, lenet):
    """An encoder and victims that the attack applies to."""
    shape = shape_for(attack)
    torch.manual_seed(0)
    flat = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), 9), nn.ReLU())
    encoder = lenet.encoder if shape == IMAGE else flat
    x = torch.rand(4, *shape)
    return encoder, x, encoder(x).detach()


def test_contract(attack):
    check_attack(attack)


def test_chunks_equal_one_batch(attack, case, monkeypatch):
    encoder, x, z = case
    whole = seeded(attack, knowledge(encoder, x.shape[1:]), z)
    monkeypatch.setattr(type(attack), "batch", 3)
    parts = seeded(attack, knowledge(encoder, x.shape[1:]), z)
    free = attack.name == "generative-prior"  # Adam makes rounding larger in a few pixels
    assert torch.allclose(whole, parts, atol=1e-2 if free else 1e-3)
    assert (whole - parts).abs().mean() < 1e-4


def test_refuses_without_the_knowledge(attack):
    if attack.needs is Knowledge:
        pytest.skip("needs nothing special")
    with pytest.raises(KnowledgeError, match=f"{attack.name}: expected {attack.needs.__name__}"):
        attack.fit(Knowledge(shape=shape_for(attack)))


def test_refuses_inputs_of_another_kind(attack, lenet):
    other = ({"image", "vector"} - attack.inputs) or pytest.skip("takes both")
    shape = IMAGE if "image" in other else VECTOR
    with pytest.raises(KnowledgeError, match="knowledge of"):
        attack.fit(knowledge(lenet.encoder, shape))


def test_refuses_nan(attack, case):
    encoder, x, z = case
    z[0] = float("nan")
    with pytest.raises(NonFiniteError, match=attack.name):
        attack.fit(knowledge(encoder, x.shape[1:]))(z)


def test_at_full_strength_it_has_not_seen_the_victims(attack):
    slow = attack.needs_auxiliary or attack.name == "deep-prior"
    check_no_oracle(quick(attack.name, 60) if slow else ATTACKS[attack.name]())


def test_rmle_inverts_the_identity(digits):
    x = digits.test.take(slice(10)).floats()
    found = Rmle().fit(knowledge(nn.Identity()))(x)
    assert (found - x).abs().max() < 0.02
    assert ssim(found, x).min() > 0.995


def test_rmle_inverts_vectors_whatever_their_scale():
    x = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    for factor in (1e-4, 1.0, 1e4):
        encoder = Scale(factor)
        found = Rmle(lr=0.01).fit(knowledge(encoder, VECTOR))(encoder(x).detach())
        assert torch.allclose(found, x, atol=0.05)


def test_rmle_inverts_an_untrained_lenet(lenet, digits):
    x = digits.test.take(slice(10)).floats()
    found = Rmle().fit(knowledge(lenet.encoder))(lenet.encoder(x).detach())
    weak = RmlePaper().fit(knowledge(lenet.encoder))(lenet.encoder(x).detach())
    assert ssim(found, x).mean() > max(0.6, ssim(weak, x).mean() + 0.2)


def test_paper_attack_for_images_knows_no_scale(lenet, digits):
    """Eq. 3 compares unit representations, so doubled ones change nothing (power of 2: exactly)."""
    z = lenet.encoder(digits.test.take(slice(3)).floats()).detach()
    attack = RmlePaper(steps=20)
    once, twice = (attack.fit(knowledge(lenet.encoder))(f * z) for f in (1, 2))
    assert torch.allclose(once, twice, atol=1e-5)
    assert torch.allclose(once.amin((1, 2, 3)), torch.zeros(3))
    assert torch.allclose(once.amax((1, 2, 3)), torch.ones(3))


def test_paper_attack_for_vectors_inverts_the_identity():
    x = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    found = RmlePaperVector(steps=1000).fit(knowledge(nn.Identity(), VECTOR))(x)
    assert torch.allclose(found, x, atol=0.02)  # two steps of 0.01: L1 does not come to rest


def test_paper_attack_for_vectors_by_hand_from_either_start():
    """One step on the identity goes lr towards each number, a sixth of it on the average."""
    x = (9.0 + torch.arange(40))[:, None].expand(40, 6)
    one = {"steps": 1, "lr": 0.06, "weight_decay": 0.0}
    known = knowledge(nn.Identity(), VECTOR)
    from_zero = RmlePaperVector(**one).fit(known)(x)
    assert torch.allclose(from_zero, torch.full_like(x, 0.06))
    assert torch.allclose(RmlePaperVector(**one, averaged=True).fit(known)(x), from_zero / 6)
    start = RmlePaperVector(**one, start="normal").fit(known)(x) - 0.06
    assert start.std().item() == pytest.approx(1, abs=0.15)
    assert start.mean().item() == pytest.approx(0, abs=0.3)


def test_total_variation_by_hand():
    image = torch.tensor([[[[0.0, 3.0], [4.0, 0.0]]]])
    assert total_variation(image).item() == pytest.approx(5.0)
    assert total_variation(torch.ones(2, 1, 4, 4)).tolist() == pytest.approx([0, 0], abs=1e-4)


def test_diverging_images_become_the_middle_of_the_box(lenet, digits):
    z = lenet.encoder(digits.test.take(slice(2)).floats()).detach()
    found = RmlePaper(lr=1e30, steps=5).fit(knowledge(lenet.encoder))(z)
    assert found.isfinite().all()


def test_wrong_shape_of_z_is_refused(lenet):
    with pytest.raises((MixconError, RuntimeError)):
        Rmle(steps=1).fit(knowledge(lenet.encoder))(torch.zeros(2, 7, 3, 3))


def test_rmle_keeps_the_restart_that_fits_best(lenet, digits):
    z = lenet.encoder(digits.test.floats(slice(4))).detach()
    known = knowledge(lenet.encoder)
    one, three = (seeded(Rmle(steps=30, restarts=n), known, z) for n in (1, 3))

    def misfit(found):
        return (lenet.encoder(found) - z).flatten(1).norm(dim=1)

    assert (misfit(three) <= misfit(one) * 1.001).all()


def test_settings_are_chosen_on_auxiliary_samples(lenet):
    """Total variation that wipes everything out is not what the identity wants."""

    @dataclasses.dataclass(frozen=True)
    class Choosing(Rmle):
        def candidates(self):
            return (dataclasses.replace(self, tv=10.0, tv_end=10.0), self)

    assert Choosing(steps=30).tuned(knowledge(nn.Identity())).tv == Rmle().tv
    alone = WhiteBox.of(nn.Identity(), shape=IMAGE, box=(0.0, 1.0))
    assert Choosing(steps=30).tuned(alone) == Choosing(steps=30)


def test_representations_that_are_the_same_are_attacked_once(lenet):
    """Of a code of few bits many victims send the same."""
    asked = []

    @dataclasses.dataclass(frozen=True)
    class Counting(Rmle):
        def _fit(self, known, on_step):
            run = super()._fit(known, on_step)
            return lambda z, on_step: asked.append(z) or run(z, on_step)

    z = lenet.encoder(torch.rand(3, *IMAGE)).detach()
    invert = Counting(steps=5).fit(knowledge(lenet.encoder))
    found = invert(z[[2, 0, 2, 1, 0]])
    assert len(asked[0]) == 3
    assert torch.allclose(found, invert(z)[[2, 0, 2, 1, 0]], atol=1e-4)
    assert torch.equal(asked[1], z)  # in their order: figures stay as they were


def test_samples_that_choose_settings_neither_teach_nor_score(monkeypatch):
    """They are the last of those held out; an audit scores its attacks by the first."""
    seen = []
    monkeypatch.setattr(Rmle, "candidates", lambda self: (self,))
    monkeypatch.setattr(Rmle, "fit", lambda *_: lambda z: seen.append(z) or z)
    own = Auxiliary(torch.rand(1000, *IMAGE), torch.zeros(1000, dtype=torch.int64))
    Rmle().tuned(WhiteBox.of(nn.Identity(), shape=IMAGE, box=(0.0, 1.0), auxiliary=own))
    assert torch.equal(seen[0], own.inputs[84:100])
    assert scored_of(1000) <= 84


@pytest.mark.parametrize(
    "attack", [GaussNewton(steps=3), Rmle(steps=5, residual="whitened"), Posterior(steps=5)]
)
def test_nothing_is_learned_from_samples_that_are_held_out(attack, lenet, digits):
    """Or an attack would seem to do better on them than on victims, and be chosen for it."""
    x = digits.test.floats(slice(4))
    known, z = knowledge(lenet.encoder), lenet.represent(x).detach()
    found = seeded(attack, known, z)
    inputs = known.auxiliary.inputs.clone()
    inputs[: held_out(len(inputs))] = torch.rand(held_out(len(inputs)), *IMAGE)
    changed = dataclasses.replace(
        known, auxiliary=Auxiliary(inputs, known.auxiliary.labels), fitted={}
    )
    assert torch.equal(seeded(attack, changed, z), found)


def test_gauss_newton_is_exact_for_a_linear_encoder():
    torch.manual_seed(0)
    encoder, x = nn.Linear(6, 9), torch.randn(5, 6)
    found = GaussNewton(steps=3).fit(knowledge(encoder, VECTOR))(encoder(x).detach())
    assert torch.allclose(found, x, atol=1e-2)


def test_refined_starts_where_the_decoder_ends(lenet, digits):
    x = digits.test.floats(slice(8))
    z, known = lenet.encoder(x).detach(), knowledge(lenet.encoder)
    decoded = Decoder(steps=60).fit(known)(z)
    anchored = Refined(steps=30, decoder_steps=60, anchor=1e4).fit(known)(z)
    free = Refined(steps=300, decoder_steps=60).fit(known)(z)
    assert (anchored - decoded).abs().mean() < 0.02
    before, after = ((lenet.encoder(f) - z).flatten(1).norm(dim=1) for f in (decoded, free))
    assert (after < before / 2).all()


def test_a_decoder_is_fitted_once_for_all(lenet):
    known = knowledge(lenet.encoder)
    seeded(Refined(steps=2, decoder_steps=3), known, torch.rand(2, 16, 5, 5))
    kept = known.fitted[Decoder(steps=3)]
    Decoder(steps=3).fit(known)
    assert known.fitted[Decoder(steps=3)] is kept


def test_an_attack_sees_no_more_than_it_declares(lenet):
    seen = []

    class Curious(Decoder):
        def _fit(self, knowledge, on_step):
            seen.append(type(knowledge))
            return super()._fit(knowledge, on_step)

    Curious(steps=1).fit(knowledge(lenet.encoder))
    assert seen == [Query]


def test_more_noise_less_leakage(digits):
    """On the identity, for the white-box attack and for the decoder."""
    x = digits.test.floats(slice(30))
    for attack in (Rmle(steps=100), Decoder(steps=40)):
        scores = []
        for sigma in (0.0, 0.2, 0.6, 2.0):
            torch.manual_seed(0)
            channel = GaussianNoise(sigma)
            known = WhiteBox.of(
                nn.Identity(), channel, shape=IMAGE, box=(0.0, 1.0), auxiliary=own_samples(IMAGE)
            )
            scores.append(ssim(attack.fit(known)(channel(x)), x).mean().item())
        assert scores == sorted(scores, reverse=True), attack.name


def test_strongest_applies_and_scales():
    for kind in ("image", "vector"):
        assert all(kind in attack.inputs for attack in strongest(kind))
    full, tenth = ({a.name: a for a in strongest("image", b)} for b in (1, 0.1))
    assert tenth["rmle"].steps == full["rmle"].steps // 10
    assert tenth["rmle-paper"] == full["rmle-paper"]
