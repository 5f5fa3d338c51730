"""Images inverted per second: one at a time as usually done, and in one batch. LeNet-5 on MNIST.

The usual attack (He et al., ACSAC 2019): 5,000 steps of Adam on the squared error plus total
variation, one image after another, no box. Ours is judged at equal or better SSIM on the same model
and images. Needs MNIST.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from benchmarks._progress import report
from mixcon import load_data
from mixcon.attacks import Attack, Auxiliary, Decoder, GaussNewton, Refined, Rmle, WhiteBox
from mixcon.attacks._descent import total_variation
from mixcon.metrics import ssim
from mixcon.training import TrainConfig, train

SINGLE, BATCH, STEPS = 3, 1000, 5000


def one_at_a_time(encoder: nn.Module, z: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The usual attack, written plainly."""
    found = []
    for target in z.split(1):
        image = torch.zeros(1, *shape, requires_grad=True)
        optimizer = torch.optim.Adam([image], lr=0.01)
        for _ in range(STEPS):
            loss = (encoder(image) - target).square().sum() + 1e-3 * total_variation(image).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        found.append(image.detach().clamp(0, 1))
    return torch.cat(found)


def attacks() -> Iterator[Attack]:
    """From quick to thorough: the points of the curve SSIM over seconds."""
    yield Decoder(steps=40, batch_size=32)
    yield from (Decoder(steps=n) for n in (100, 300, 1000))
    yield from (Refined(steps=n, decoder_steps=1000) for n in (20, 100))
    yield from (Rmle(steps=n) for n in (50, 100, 300))
    yield from (GaussNewton(steps=n) for n in (3, 10))


def run() -> Iterator[str]:
    data = load_data("mnist")
    with TemporaryDirectory() as folder:
        config = TrainConfig(data="mnist", network="lenet5", epochs=3, lr=0.05)
        model = train(config, Path(folder) / "run", accelerator="cpu").requires_grad_(False)
    x = data.test.floats(slice(BATCH))
    z = model.encoder(x)
    auxiliary = Auxiliary(data.train.floats(slice(20_000)), data.train.labels[:20_000])
    started = time.perf_counter()
    plain = ssim(one_at_a_time(model.encoder, z[:SINGLE], data.test.shape), x[:SINGLE])
    pace = (time.perf_counter() - started) / SINGLE
    yield f"one at a time, {STEPS} steps: {pace:.1f} s an image, SSIM {plain.mean():.3f}"
    yield "speed: images per second over that, without the fit; with it, spread over the images"
    yield f"{'attack':<14} {'settings':<34} {'fit s':>7} {'ms/image':>9} {'SSIM':>6} {'speed':>17}"
    chosen = list(attacks())
    for turn, attack in enumerate(chosen):
        report((turn + 1) / (len(chosen) + 1))  # the training and the slow attack count as one
        known = WhiteBox.of(
            model.encoder, shape=data.test.shape, box=(0.0, 1.0), auxiliary=auxiliary
        )
        count = BATCH if attack.name != "gauss-newton" else 128
        begun = time.perf_counter()
        invert = attack.fit(known)
        fitted = time.perf_counter()
        found = invert(z[:count])
        done = time.perf_counter()
        score, each = ssim(found, x[:count]).mean().item(), (done - fitted) / count
        with_fit = (done - begun) / count
        speed = (
            f"{pace / each:.0f} x, {pace / with_fit:.0f} x" if score >= plain.mean() else "worse"
        )
        yield (
            f"{attack.name:<14} {_changed(attack):<34} {fitted - begun:>7.1f} {1e3 * each:>9.2f} "
            f"{score:>6.3f} {speed:>17}"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    yield f"peak memory of all of it, {BATCH} images: {peak:.2f} GiB"


def _changed(attack: Attack) -> str:
    """The settings that are not the defaults."""
    usual = type(attack)().settings
    return ", ".join(f"{k}={v}" for k, v in attack.settings.items() if v != usual[k])
