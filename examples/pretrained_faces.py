"""Faces, through an encoder that others trained: the first layers of MTCNN's last network.

Its weights lie in a wheel: `pip install --no-deps facenet-pytorch==2.6.0` (MIT licence). Nothing of
the package is imported, so it does not matter which torch it asks for. The encoder stays as it is;
a code and a head are learned behind it. In this folder, `mixcon adapt --network
pretrained_faces:mtcnn --cut prelu4 --data olivetti_faces` does the same.
"""

import argparse
from collections import OrderedDict
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn

from mixcon import TrainConfig, allow_code, train
from mixcon.training import RunFolder

LAYERS = ((3, 32, 3, 3), (32, 64, 3, 3), (64, 64, 3, 2), (64, 128, 2, 0))


class Fitted(nn.Module):
    """48 x 48 pixels in color, numbers around 0: what MTCNN was trained on."""

    def forward(self, x):
        x = nn.functional.interpolate(x, (48, 48), mode="bilinear")
        return (255 * x.expand(-1, 3, -1, -1) - 127.5) / 128


def mtcnn(shape, classes):
    layers = OrderedDict(fitted=Fitted())
    for i, (before, after, size, pool) in enumerate(LAYERS, start=1):
        layers[f"conv{i}"] = nn.Conv2d(before, after, size)
        layers[f"prelu{i}"] = nn.PReLU(after)
        if pool:
            layers[f"pool{i}"] = nn.MaxPool2d(pool, 2, ceil_mode=True)
    encoder = nn.Sequential(layers)
    if wheel := find_spec("facenet_pytorch"):
        file = Path(wheel.origin).parent / "data" / "onet.pt"
        found = torch.load(file, weights_only=True)  # tensors, and nothing that could run
        encoder.load_state_dict({name: found[name] for name in encoder.state_dict()})
    else:
        print("facenet-pytorch is not installed: the encoder is random")
    layers |= {"flatten": nn.Flatten(), "fc1": nn.Linear(1152, 128), "relu": nn.ReLU()}
    return nn.Sequential(layers | {"fc2": nn.Linear(128, classes)})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="an epoch on digits, to see it run")
    smoke = parser.parse_args().smoke
    allow_code("pretrained_faces")
    config = TrainConfig(
        data="digits" if smoke else "olivetti_faces",
        network="pretrained_faces:mtcnn",
        cut="prelu4",
        defense="code(bits=32) + unicon(weight=0.3, on=z)",
        frozen=True,
        epochs=1 if smoke else 60,
        batch_size=16,
    )
    run = Path("runs/pretrained-faces")
    train(config, run, accelerator="cpu")
    print(f"{RunFolder(run).read_metrics()[-1]['test_accuracy']:.1%} right, run in {run}")


if __name__ == "__main__":
    main()
