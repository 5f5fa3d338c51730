"""A vision transformer, defended and trained by Hugging Face's Trainer.

The device has the embeddings and the first of four layers, the cloud the rest. The Trainer is given
a module that returns a loss, of which the defense's penalty is a part.
"""

import argparse
import tempfile

from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Trainer, TrainingArguments, ViTConfig, ViTForImageClassification, set_seed

from mixcon import SplitModel, Subject, defend, load_data, run_audit
from mixcon.attacks import Decoder, strongest
from mixcon.defenses import Batch
from mixcon.reports import figures_of, verdict

DEFENSE = "code(bits=16) + unicon(weight=0.3, on=z)"


class Head(nn.Module):
    def __init__(self, vit: ViTForImageClassification) -> None:
        super().__init__()
        self.layers, self.norm = nn.Sequential(*vit.vit.layers[1:]), vit.vit.layernorm
        self.classifier = vit.classifier

    def forward(self, z: Tensor) -> Tensor:
        return self.classifier(self.norm(self.layers(z))[:, 0])


class Defended(nn.Module):
    """What the Trainer trains: the split model, and the loss with the defense's penalty."""

    def __init__(self, model: SplitModel, samples: Tensor) -> None:
        super().__init__()
        self.split, self.defense = defend(model, DEFENSE, samples)

    def forward(self, pixel_values: Tensor, labels: Tensor) -> dict[str, Tensor]:
        raw = self.split.represent(pixel_values)
        z = self.split.channel(raw)
        logits = self.split.head(z)
        penalty = self.defense.penalty(Batch(pixel_values, labels, raw, z))
        return {"loss": F.cross_entropy(logits, labels) + penalty, "logits": logits}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a few steps, to see that it runs")
    smoke = parser.parse_args().smoke

    set_seed(0)
    data = load_data("digits")
    sizes = {"hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4}
    shapes = {"intermediate_size": 128, "image_size": 28, "patch_size": 7, "num_channels": 1}
    vit = ViTForImageClassification(ViTConfig(**sizes, **shapes, num_labels=10))
    encoder = nn.Sequential(vit.vit.embeddings, vit.vit.layers[0])
    defended = Defended(SplitModel(encoder, Head(vit)), data.train.floats(slice(2)))
    with tempfile.TemporaryDirectory() as folder:
        settings = TrainingArguments(
            folder, max_steps=10 if smoke else 1000, per_device_train_batch_size=64,
            learning_rate=1e-3, report_to="none", save_strategy="no", disable_tqdm=smoke,
            dataloader_pin_memory=False, use_cpu=True,
        )  # fmt: skip
        pairs = zip(data.train.floats(), data.train.labels, strict=True)
        rows = [{"pixel_values": x, "labels": y} for x, y in pairs]
        Trainer(defended, settings, train_dataset=rows).train()
    subject = Subject(defended.split.cpu().eval(), DEFENSE, network="ViT", cut="layer 1")
    attacks = [Decoder(steps=10)] if smoke else strongest("image")
    victims = 8 if smoke else 100
    report, _ = run_audit([subject], data, attacks, victims=victims, thorough=not smoke)
    print(*verdict(figures_of(report)), sep="\n")


if __name__ == "__main__":
    main()
