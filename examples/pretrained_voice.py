"""Speech, through an encoder that others trained: that of Silero VAD, which finds voices.

Its weights lie in a wheel: `pip install --no-deps silero-vad==6.2.3` (MIT licence). The encoder
stays as it is; a code and a head that tells digits apart are learned behind it. In this folder,
`mixcon adapt --network pretrained_voice:silero --cut relu3 --data spoken_digits` does the same.
"""

import argparse
from collections import OrderedDict
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn

from mixcon import TrainConfig, allow_code, train
from mixcon.training import RunFolder

LAYERS = ((65, 128, 1), (128, 64, 2), (64, 64, 2), (64, 128, 1))


class Spectrum(nn.Conv1d):
    """Magnitudes of the frequencies of a sound at 2 kHz, as of one at 8 kHz."""

    def forward(self, x):
        x = nn.functional.interpolate(x, scale_factor=4, mode="linear")
        parts = super().forward(nn.functional.pad(x, (0, 64), "reflect")).chunk(2, 1)
        return (parts[0].square() + parts[1].square() + 1e-12).sqrt()


def silero(shape, classes):
    layers = OrderedDict(stft=Spectrum(1, 130, 128, stride=64, bias=False))
    for i, (before, after, stride) in enumerate(LAYERS):
        layers[f"conv{i}"] = nn.Conv1d(before, after, 3, stride, padding=1)
        layers[f"relu{i}"] = nn.ReLU()
    encoder = nn.Sequential(layers)
    if wheel := find_spec("silero_vad"):
        whole = torch.jit.load(Path(wheel.origin).parent / "data" / "silero_vad.jit")
        found = whole._model_8k.state_dict()
        found["stft.weight"] = found["stft.forward_basis_buffer"]
        for i in range(len(LAYERS)):
            for part in ("weight", "bias"):
                found[f"conv{i}.{part}"] = found[f"encoder.{i}.reparam_conv.{part}"]
        encoder.load_state_dict({name: found[name] for name in encoder.state_dict()})
    else:
        print("silero-vad is not installed: the encoder is random")
    with torch.no_grad():
        numbers = encoder(torch.zeros(1, *shape)).numel()
    layers |= {"flatten": nn.Flatten(), "fc1": nn.Linear(numbers, 128), "relu": nn.ReLU()}
    return nn.Sequential(layers | {"fc2": nn.Linear(128, classes)})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="an epoch on tones, to see it run")
    smoke = parser.parse_args().smoke
    allow_code("pretrained_voice")
    config = TrainConfig(
        data="tones" if smoke else "spoken_digits",
        network="pretrained_voice:silero",
        cut="relu3",
        defense="code(bits=32) + unicon(weight=0.3, on=z)",
        frozen=True,
        epochs=1 if smoke else 20,
    )
    run = Path("runs/pretrained-voice")
    train(config, run, accelerator="cpu")
    print(f"{RunFolder(run).read_metrics()[-1]['test_accuracy']:.1%} right, run in {run}")


if __name__ == "__main__":
    main()
