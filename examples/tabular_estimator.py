"""A scikit-learn estimator for tables, with a device and a cloud inside.

It goes into pipelines and searches as any classifier does. `leakage` says what an attacker gets
who knows the training rows: 0 is no more than the class tells, 1 an exact copy.
"""

import argparse

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.preprocessing import scale
from sklearn.utils.validation import validate_data
from torch import nn

from mixcon import Subject, defend, run_audit, split_model
from mixcon.attacks import Decoder, strongest
from mixcon.data import LabeledSet, Splits
from mixcon.defenses import Batch
from mixcon.reports import figures_of


class SplitClassifier(ClassifierMixin, BaseEstimator):
    def __init__(self, defense="code(bits=4)", epochs=60, lr=5e-3):
        self.defense, self.epochs, self.lr = defense, epochs, lr

    def fit(self, X, y):
        X, y = validate_data(self, X, y, dtype=np.float32)
        self.classes_ = np.unique(y)
        self.train_ = self._labeled(X, y)
        torch.manual_seed(0)
        device = (nn.Linear(X.shape[1], 32), nn.ReLU(), nn.Linear(32, 16))  # the last is "2"
        net = nn.Sequential(*device, nn.ReLU(), nn.Linear(16, len(self.classes_)))
        model, defense = defend(split_model(net, at="2"), self.defense, self.train_.inputs[:2])
        adam = torch.optim.Adam(model.parameters(), self.lr)
        for _ in range(self.epochs):
            for x, label in self.train_.batches(64, torch.randperm(len(X))):
                z = model.channel(raw := model.represent(x))
                penalty = defense.penalty(Batch(x, label, raw, z))
                adam.zero_grad()
                (nn.functional.cross_entropy(model.head(z), label) + penalty).backward()
                adam.step()
        self.model_ = model.eval()
        return self

    def predict(self, X):
        X = validate_data(self, X, dtype=np.float32, reset=False)
        with torch.no_grad():
            return self.classes_[self.model_(torch.from_numpy(X)).argmax(1).numpy()]

    def leakage(self, X, y, *, smoke=False):
        """The excess leakage of rows that were not trained on, and its 95 % interval."""
        attacks, victims = ([Decoder(steps=20)], 8) if smoke else (strongest("vector"), 100)
        data, subject = Splits(self.train_, self._labeled(X, y)), Subject(self.model_)
        report, _ = run_audit([subject], data, attacks, victims=victims, thorough=not smoke)
        evidence = figures_of(report).models[0].evidence
        return evidence.excess, *evidence.interval

    def _labeled(self, X, y):
        inputs = torch.tensor(X, dtype=torch.float32)
        labels = torch.from_numpy(np.searchsorted(self.classes_, y))
        return LabeledSet("table", inputs, labels, tuple(map(str, self.classes_)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a few steps, to see that it runs")
    smoke = parser.parse_args().smoke
    table, target = load_breast_cancer(return_X_y=True)
    X, unseen, y, y_test = train_test_split(scale(table), target, random_state=0, stratify=target)
    model = SplitClassifier(epochs=2 if smoke else 60)
    print(f"{cross_val_score(model, X, y, cv=2).mean():.1%} right, cross-validated")
    found = model.fit(X, y).leakage(unseen, y_test, smoke=smoke)
    print("excess leakage {:.3f} [{:.3f}, {:.3f}]".format(*found))


if __name__ == "__main__":
    main()
