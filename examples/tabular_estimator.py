"""A scikit-learn estimator for tables, with a device and a cloud inside.

It goes into pipelines, cross-validation and searches as any classifier does. `leakage` says what
an attacker gets who knows the training rows: 0 is no more than the class tells, 1 an exact copy.
"""

import argparse

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn
from torch.nn import functional as F

from mixcon import Subject, defend, run_audit, split_model
from mixcon.attacks import Decoder, strongest
from mixcon.data import LabeledSet, Splits
from mixcon.defenses import Batch
from mixcon.reports import figures_of


class SplitClassifier(ClassifierMixin, BaseEstimator):
    """Two layers on the device, two in the cloud."""

    def __init__(self, defense="code(bits=4)", epochs=60, lr=5e-3, random_state=0):
        self.defense, self.epochs, self.lr, self.random_state = defense, epochs, lr, random_state

    def fit(self, X, y):
        X, y = validate_data(self, X, y, dtype=np.float32)
        self.classes_, labels = np.unique(y, return_inverse=True)
        self.train_ = self._labeled(X, labels)
        with torch.random.fork_rng():
            torch.manual_seed(self.random_state)
            width, classes = X.shape[1], len(self.classes_)
            net = nn.Sequential(
                *(nn.Linear(width, 32), nn.ReLU(), nn.Linear(32, 16)),  # "2" is the cut
                *(nn.ReLU(), nn.Linear(16, classes)),
            )
            model, defense = defend(split_model(net, at="2"), self.defense, self.train_.inputs[:2])
            adam = torch.optim.Adam(model.parameters(), self.lr)
            for _ in range(self.epochs):
                for x, target in self.train_.batches(64, torch.randperm(len(X))[: len(X) // 2 * 2]):
                    raw = model.represent(x)
                    z = model.channel(raw)
                    penalty = defense.penalty(Batch(x, target, raw, z))
                    adam.zero_grad()
                    (F.cross_entropy(model.head(z), target) + penalty).backward()
                    adam.step()
        self.model_ = model.eval()
        return self

    def predict(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        with torch.no_grad():
            return self.classes_[self.model_(torch.from_numpy(X)).argmax(1).numpy()]

    def leakage(self, X, y, *, smoke=False):
        """The excess leakage of rows that were not trained on, and its 95 % interval."""
        data = Splits(self.train_, self._labeled(X, np.searchsorted(self.classes_, y)))
        attacks = [Decoder(steps=20)] if smoke else strongest("vector")
        count = min(len(X), 8 if smoke else 100)
        subjects = [Subject(self.model_, self.defense)]
        report, _ = run_audit(subjects, data, attacks, victims=count, thorough=not smoke)
        summary = figures_of(report).models[0]
        return summary.excess, summary.evidence.interval

    def _labeled(self, X, labels):
        inputs = torch.from_numpy(np.ascontiguousarray(X, np.float32))
        names = tuple(map(str, self.classes_))
        return LabeledSet("table", inputs, torch.from_numpy(labels.astype(np.int64)), names)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a few steps, to see that it runs")
    smoke = parser.parse_args().smoke
    X, y = load_breast_cancer(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0, stratify=y)
    scaler = StandardScaler().fit(X)
    bits = [1, 4] if smoke else [1, 2, 4, 8]
    grid = {"defense": [f"code(bits={n})" for n in bits], "epochs": [2 if smoke else 60]}
    search = GridSearchCV(SplitClassifier(), grid, cv=2 if smoke else 5).fit(scaler.transform(X), y)
    best, unseen = search.best_estimator_, scaler.transform(X_test)
    print(f"{best.defense}: {best.score(unseen, y_test):.1%} right")
    excess, (low, high) = best.leakage(unseen, y_test, smoke=smoke)
    print(f"excess leakage {excess:.3f} [{low:.3f}, {high:.3f}]")


if __name__ == "__main__":
    main()
