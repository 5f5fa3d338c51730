"""A vision transformer of Hugging Face as a network for every verb: cut after any of its blocks.

Its own `forward` has branches that cannot be traced, and gives a dict. Its layers in a row can be
cut: `mixcon cuts vision_transformer:vit --data cifar10` in this folder lists where. The weights
are random at first; here they are trained on CIFAR-10, undefended and with a code of 32 bits.
"""

import argparse
from collections import OrderedDict
from pathlib import Path

from torch import nn
from transformers import ViTConfig, ViTModel

from mixcon import TrainConfig, allow_code, train
from mixcon.training import RunFolder


class First(nn.Module):
    """The token that stands for the whole image."""

    def forward(self, tokens):
        return tokens[:, 0]


def vit(shape, classes):
    config = ViTConfig(
        image_size=shape[1],
        patch_size=4,
        num_channels=shape[0],
        hidden_size=96,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=192,
    )
    model = ViTModel(config, add_pooling_layer=False)
    blocks = {f"block{i}": layer for i, layer in enumerate(model.layers, start=1)}
    layers = OrderedDict(patches=model.embeddings, **blocks, norm=model.layernorm, first=First())
    return nn.Sequential(layers | {"fc": nn.Linear(config.hidden_size, classes)})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="an epoch on digits, to see it run")
    smoke = parser.parse_args().smoke
    allow_code("vision_transformer")
    for cut, defense in (
        ("block2", "vanilla"),
        ("first", "code(bits=32) + unicon(weight=0.3, on=z)"),
    ):
        config = TrainConfig(
            data="digits" if smoke else "cifar10[:10000]",
            network="vision_transformer:vit",
            cut=cut,
            defense=defense,
            epochs=1 if smoke else 10,
        )
        run = Path("runs") / f"vit-{cut}"
        train(config, run, accelerator="cpu")
        right = RunFolder(run).read_metrics()[-1]["test_accuracy"]
        print(f"{defense}, cut after {cut}: {right:.1%} right, run in {run}")


if __name__ == "__main__":
    main()
