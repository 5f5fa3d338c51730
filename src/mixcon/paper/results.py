"""Recorded results: one JSON, one Markdown and the figures of each experiment in one folder."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from mixcon._files import write_whole
from mixcon.errors import RunError
from mixcon.paper._experiment import Experiment, Result
from mixcon.paper.markdown import comparison, where_and_how

__all__ = ["read_result", "write_result"]


def write_result(experiment: Experiment, result: Result, folder: Path) -> list[Path]:
    """Write NAME.json, NAME.md and the figure; what is there under these names is replaced."""
    figures = experiment.draw(result) if experiment.draw else {}
    page = f"# {result.title}\n\n{comparison(result)}\n{where_and_how(result)}"
    return [
        write_whole(folder / f"{result.name}.json", _as_json(result)),
        write_whole(folder / f"{result.name}.md", page),
        *(write_whole(folder / name, content) for name, content in figures.items()),
    ]


def read_result(path: Path) -> Result:
    """A result from its JSON.

    Raises:
        RunError: the file is missing, is no JSON, or is no result of this version.
    """
    try:
        return Result.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise RunError(
            f"{path}: expected a result of mixcon reproduce, but got {error}; run it again"
        ) from error


def _as_json(result: Result) -> str:
    return json.dumps(result.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"
