"""A Lightning callback that watches the leakage while a model is trained.

At the end of every so many epochs a short attack is run, and its excess leakage is logged as
`leakage` beside the loss: 0 is no more than the class tells, 1 an exact copy. A short attack finds
too little: the model that you ship gets a full `mixcon audit`.
"""

import argparse

import lightning as L
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from mixcon import MixConLoss, Subject, load_data, models, run_audit
from mixcon.attacks import Decoder
from mixcon.data import Splits
from mixcon.reports import figures_of


class Split(L.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.split = models.build("lenet5", shape=(1, 28, 28), classes=10)
        self.separate = MixConLoss(beta=1e-4)

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        x, y = batch
        raw = self.split.represent(x)
        loss = F.cross_entropy(self.split.head(self.split.channel(raw)), y)
        return loss + self.separate(raw, y)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=2e-3)


class Leakage(L.Callback):
    """Logs the excess leakage after every `every` epochs.

    Args:
        data: what the model is trained and tested on.
        steps: training steps of the attacker's decoder.
        every: epochs between two audits.
        victims: test samples that are attacked.
    """

    def __init__(self, data: Splits, steps: int = 300, every: int = 2, victims: int = 50) -> None:
        self.data, self.steps, self.every, self.victims = data, steps, every, victims

    def on_train_epoch_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        if (trainer.current_epoch + 1) % self.every:
            return
        attacks = [Decoder(steps=self.steps)]
        subject = Subject(module.split)
        report, _ = run_audit([subject], self.data, attacks, victims=self.victims)
        self.log("leakage", figures_of(report).models[0].excess)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a few steps, to see that it runs")
    smoke = parser.parse_args().smoke

    L.seed_everything(0)
    data = load_data("digits")
    batches = DataLoader(TensorDataset(data.train.floats(), data.train.labels), 64, shuffle=True)
    watch = Leakage(data, **({"steps": 10, "every": 1, "victims": 8} if smoke else {}))
    trainer = L.Trainer(
        max_epochs=1 if smoke else 8, callbacks=[watch], accelerator="cpu", logger=False,
        enable_checkpointing=False, enable_progress_bar=not smoke,
    )  # fmt: skip
    trainer.fit(Split(), batches)
    print(f"leakage {trainer.logged_metrics['leakage']:.2f}")


if __name__ == "__main__":
    main()
