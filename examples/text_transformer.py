"""A BERT of Hugging Face for texts, as a network for every verb: cut after its words or a block.

It gets a row of zeros and a one for each token, so it begins with a matrix product in place of a
lookup; the weights are those of its embedding. They are random at first; here they are trained on
made-up messages to a bank, undefended and with a code of 4 bits.
"""

import argparse
from collections import OrderedDict
from pathlib import Path

from torch import nn
from transformers import BertConfig, BertModel

from mixcon import TrainConfig, allow_code, train
from mixcon.training import RunFolder


class Words(nn.Module):
    """What BERT makes of tokens and their places before its first block."""

    def __init__(self, embeddings):
        super().__init__()
        self.embeddings = embeddings

    def forward(self, x):
        return self.embeddings(inputs_embeds=x @ self.embeddings.word_embeddings.weight)


class Mean(nn.Module):
    """The mean over all tokens."""

    def forward(self, tokens):
        return tokens.mean(1)


def bert(shape, classes):
    config = BertConfig(
        vocab_size=shape[1],
        max_position_embeddings=shape[0],
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
    )
    model = BertModel(config, add_pooling_layer=False)
    blocks = {f"block{i}": layer for i, layer in enumerate(model.encoder.layer, start=1)}
    layers = OrderedDict(words=Words(model.embeddings), **blocks, mean=Mean())
    return nn.Sequential(layers | {"fc": nn.Linear(config.hidden_size, classes)})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="an epoch on a few, to see it run")
    smoke = parser.parse_args().smoke
    allow_code("text_transformer")
    for cut, defense in (
        ("block1", "vanilla"),
        ("mean", "code(bits=4) + unicon(weight=0.3, on=z)"),
    ):
        config = TrainConfig(
            data="messages[:500]" if smoke else "messages",
            network="text_transformer:bert",
            cut=cut,
            defense=defense,
            epochs=1 if smoke else 8,
        )
        run = Path("runs") / f"bert-{cut}"
        train(config, run, accelerator="cpu")
        right = RunFolder(run).read_metrics()[-1]["test_accuracy"]
        print(f"{defense}, cut after {cut}: {right:.1%} right, run in {run}")


if __name__ == "__main__":
    main()
