"""A column of a table: one setting, trained and attacked once a seed, as rows of numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mixcon.attacks import Attack
from mixcon.audit import Gallery, ModelRecord
from mixcon.data import Splits
from mixcon.paper._attacks import attacked
from mixcon.paper._experiment import Row, RunOptions
from mixcon.paper._models import train_or_load
from mixcon.paper._numbers import paper_value
from mixcon.reports import Excess, beside, headline, spread
from mixcon.training import TrainConfig

__all__ = ["Column", "attacks_note", "measure_column", "psim_notes"]

_SIMILARITIES = {"ssim": "SSIM", "psim": "PSIM"}


@dataclass(frozen=True)
class Column:
    """What was found for one setting.

    Attributes:
        table: where the paper prints its numbers.
        data: the paper's data set; empty for the synthetic one.
        shown: our data set, which may be a part of it.
        setting: what was trained.
        records: the audited models, one a seed.
        galleries: the victims and their reconstructions, one a seed.
        seconds: wall time of training and attacks.
        notes: metric to how it is to be read.
    """

    table: str
    data: str
    shown: str
    setting: str
    records: list[ModelRecord]
    galleries: list[Gallery]
    seconds: float
    notes: dict[str, str]

    def accuracy_row(self) -> Row:
        """Test accuracy in percent."""
        quantity = "Accuracy (%)"
        ours = [100 * record.accuracy for record in self.records]
        return self._row(quantity, ours, places=1)

    def similarity_rows(self) -> list[Row]:
        """Mean, standard deviation and worst case over the victims, of SSIM and, if there, PSIM."""
        measured = [m for m in _SIMILARITIES if m in self.records[0].attacks[0].leakage]
        return [
            self.leakage_row(f"{_SIMILARITIES[metric]}, {statistic}", metric, statistic)
            for metric in measured
            for statistic in ("mean", "std", "worst")
        ]

    def leakage_row(
        self, quantity: str, metric: str, statistic: str = "mean", places: int = 2
    ) -> Row:
        """One statistic of one metric: `statistic` names a field of `mixcon.reports.Spread`.

        The paper's attack is the first of the record.
        """

        def over_victims(values: Iterable[Sequence[float]]) -> list[float]:
            return [getattr(spread(of_record, metric), statistic) for of_record in values]

        strongest = [_strongest(record, metric) for record in self.records]
        papers = over_victims(record.attacks[0].leakage[metric] for record in self.records)
        return self._row(quantity, papers, places).model_copy(
            update={
                "strongest": over_victims(found.leakage for found in strongest),
                "floor": over_victims(found.floor for found in strongest),
                "ordered": statistic != "std",
            }
        )

    def _row(self, quantity: str, ours: list[float], places: int) -> Row:
        return Row(
            group=self.shown,
            setting=self.setting,
            quantity=quantity,
            paper=paper_value(self.table, self.data, self.setting, quantity),
            ours=ours,
            places=places,
        )


def attacks_note(column: Column) -> str:
    """Which attacks ran, and how the strongest was chosen."""
    record = column.records[0]
    if record.guesses:
        return (
            "The strongest attack is one for all images, chosen by the attacker's own samples out "
            f"of {', '.join(attack.attack for attack in record.attacks)}, at the settings of "
            f"`mixcon audit`; the floor is the best of {len(record.guesses)} guesses from the "
            "class, chosen likewise. Where PSIM is shown, SSIM has chosen."
        )
    named = [
        f"{attack.attack} ({', '.join(f'{k}={v}' for k, v in attack.settings.items())})"
        for attack in record.attacks
    ]
    return f"The strongest attack is, image by image, the best of {'; '.join(named)}."


def _strongest(record: ModelRecord, metric: str) -> Excess:
    """The attack that an attacker would choose, and the guess, in a metric.

    They are chosen by that metric, or where it takes training, by the first one of such inputs.
    """
    by = metric
    if record.kind and metric not in record.attacks[0].auxiliary:
        by = record.kind.headlines[0]
    return beside(record, headline(record, by), metric) or headline(record, metric)


def psim_notes(columns: Sequence[Column]) -> list[str]:
    """What PSIM is here, once for each way in which it was measured."""
    ways = dict.fromkeys(column.notes["psim"] for column in columns if "psim" in column.notes)
    return [
        f"PSIM is {way}; the paper does not name its network, so that orders compare, not values."
        for way in ways
    ]


def measure_column(
    options: RunOptions,
    table: str,
    data: str,
    setting: str,
    configs: Sequence[TrainConfig],
    attacks: Callable[[Splits], Sequence[Attack[Any]]],
    victims: int,
) -> Column:
    """Train and attack.

    Args:
        options: how to run.
        table: as in `Column`.
        data: as in `Column`.
        setting: as in `Column`.
        configs: what to train, one a seed.
        attacks: the attacks for a data set, the paper's first.
        victims: how many test samples to attack, or all if there are fewer.
    """
    records, galleries, seconds, shown, notes = [], [], 0.0, "", dict[str, str]()
    for config, part in options.parts(configs):
        (_, training), (_, attacking) = part.parts(("train", "attack"))
        model = train_or_load(training, config)
        count = min(victims, len(model.data.test))
        report, gallery = attacked(attacking, model, attacks(model.data), count)
        record, notes = report.models[0], report.notes
        records.append(record)
        galleries.append(gallery)
        seconds += model.seconds + sum(attack.seconds for attack in record.attacks)
        shown = model.data.test.name if data else ""
    return Column(table, data, shown, setting, records, galleries, seconds, notes)
