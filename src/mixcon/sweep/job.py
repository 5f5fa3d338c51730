"""A job: train one config, if that is not done yet, and judge it. A function of its settings."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from safetensors.torch import save

from mixcon._files import is_full_disk, write_whole
from mixcon.attacks import Attack
from mixcon.audit import (
    AuditProgress,
    Gallery,
    Report,
    expected_seconds,
    run_audit,
    subject_of,
)
from mixcon.errors import MixconError
from mixcon.metrics import chance_level
from mixcon.progress import Plan
from mixcon.reports import report_json, thumbnail
from mixcon.sweep.judgments import StageName
from mixcon.sweep.progress import JobProgress, training_seconds
from mixcon.training import Progress, RunFolder, TrainConfig, accuracy, device_of, train

__all__ = ["Job", "OnJobProgress", "attempt", "plan_of", "run"]

OnJobProgress: TypeAlias = Callable[[JobProgress], None]


@dataclass(frozen=True)
class Job:
    """One judgment of one trial.

    Attributes:
        name: name of the trial, and of its folder.
        title: what tables call it.
        config: what is trained.
        stage: which judgment: ``test`` is on the test set, the others on the part held out.
        attacks: what the model is attacked with.
        folder: run folder of the trial; the judgment becomes a file in it.
        victims: how many images are attacked.
        seed: draws the victims and the attacks' randomness, for all jobs of a sweep alike.
        data_dir: where local Parquet files lie.
        accelerator: as Lightning Fabric names it.
    """

    name: str
    title: str
    config: TrainConfig
    stage: StageName
    attacks: tuple[Attack[Any], ...]
    folder: Path
    victims: int
    seed: int = 0
    data_dir: Path | None = None
    accelerator: str = "auto"

    @property
    def result(self) -> Path:
        """The file of the judgment."""
        return self.folder / f"{self.stage}.json"


def attempt(job: Job, on_progress: OnJobProgress = lambda _: None) -> str | OSError | None:
    """Run a job; the reason if it fails, which is also kept in its folder.

    A full disk is no fault of the job and keeps all others from going on: it is handed back.
    """
    try:
        run(job, on_progress)
    except MixconError as error:
        return str(error)
    except OSError as error:
        return error if is_full_disk(error) else _unexpected(job, error)
    except Exception as error:  # whatever it is, the other trials go on
        return _unexpected(job, error)
    return None


def _unexpected(job: Job, error: Exception) -> str:
    write_whole(job.folder / f"{job.stage}-error.txt", traceback.format_exc())
    return f"{type(error).__name__}: {error}"


def run(job: Job, on_progress: OnJobProgress = lambda _: None) -> None:
    """Train, going on where an earlier attempt stopped, judge, and write the judgment.

    It tells how far it is with every step of the training and of the attacks.

    A network that cannot be told from naming the largest class is hopeless and not attacked.

    Raises:
        MixconError: as `train` and `audit`.
    """
    if job.result.is_file():
        return
    data = job.config.load_data(job.data_dir)
    data = data if job.stage == "test" else data.holdout(job.config.holdout)
    tell = _Steps(job, len(data.train), on_progress)
    model = train(
        job.config,
        job.folder,
        data_dir=job.data_dir,
        accelerator=job.accelerator,
        on_progress=tell.trained,
    ).to(device_of(job.accelerator))
    subject = replace(subject_of(job.folder, model), name=job.title, defense=job.title)
    hopeless = accuracy(model, data.test) <= chance_level(data.test.labels)
    report, gallery = run_audit(
        [subject],
        data,
        () if hopeless else job.attacks,
        victims=min(job.victims, len(data.test)),
        seed=job.seed,
        on_progress=tell.audited,
    )
    _write(job, report, gallery)


class _Steps:
    """From the steps of training and audit to the share of a job."""

    def __init__(self, job: Job, samples: int, on_progress: OnJobProgress) -> None:
        self._plan, self._on_progress = plan_of(job, samples), on_progress
        on_progress(JobProgress("training", 0.0))

    def trained(self, progress: Progress) -> None:
        done = self._plan.report("training", progress.share)
        self._on_progress(JobProgress("training", done))

    def audited(self, progress: AuditProgress) -> None:
        self._plan.begin("audit")
        done = self._plan.report("audit", progress.done)
        self._on_progress(JobProgress(progress.phase, done))


def plan_of(job: Job, samples: int) -> Plan[Literal["training", "audit"]]:
    """What a job has to do: train on so many samples, unless that is done, and audit."""
    trained = RunFolder(job.folder).finished
    training = 0.0 if trained else training_seconds(job.config, samples)
    return Plan({"training": training, "audit": expected_seconds(job.attacks, thorough=False)})


def _write(job: Job, report: Report, gallery: Gallery) -> None:
    """The pictures first: where the judgment is, they are too."""
    found = gallery.reconstructions[job.title]
    drawn = thumbnail(report.models[0], gallery) if found else None
    if drawn:
        ending, content = drawn
        write_whole(job.folder / f"{job.stage}.{ending}", content)
    if job.stage == "test":
        tensors = {"originals": gallery.originals, "labels": gallery.labels}
        tensors |= {f"reconstructions.{name}": images for name, images in found.items()}
        kept = {name: tensor.contiguous() for name, tensor in tensors.items()}
        names = {"classes": gallery.classes, "vocabulary": gallery.vocabulary}
        said = {what: json.dumps(of) for what, of in names.items()}
        write_whole(job.folder / f"{job.stage}.safetensors", save(kept, metadata=said))
    write_whole(job.result, report_json(report))
