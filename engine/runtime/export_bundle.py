"""A bundle: everything that is needed to use a trained network, in one folder or one zip file.

Owns what lies in it and how it is packed. The texts stand in `engine/bundle.py` and `engine/model_card.py`; that it
works is tried elsewhere, by its own `predict.py`.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine import bundle
from engine.analysis import Analysis
from engine.known import known_data
from engine.problem import ProblemError, Where, error
from engine.project import Project
from engine.projectfile import to_text
from engine.runtime.data import Preprocess
from engine.runtime.export_samples import Trial
from engine.source_ends import find_ends
from engine.standalone import standalone


def refuse_folder(path: Path) -> None:
    """ProblemError where a folder that is no bundle stands in the way: what is in it must not be lost."""
    if path.is_dir() and any(path.iterdir()) and not (path / bundle.PREDICT).is_file():
        raise ProblemError(
            error(Where(label=path.name, file=str(path)), "There is a folder of this name that holds other things",
                  "A name that is free, or a bundle to replace", "Choose another name", code="file.write")
        )  # fmt: skip


def write_bundle(
    folder: Path, project: Project, analysis: Analysis, model: nn.Module, *, original: Project,
    preprocess: Mapping[str, Preprocess], statistics: Mapping[str, Tensor], weights: Mapping[str, Tensor],
    trial: Trial, expected: Mapping[str, Tensor],
) -> None:  # fmt: skip
    """Writes all files but the model card into a new folder; OSError when the disk refuses.

    `weights` are those of `model` as they are to be kept, `expected` what it answers to the first sample of `trial`,
    `original` the project as it was trained.
    """
    if not trial.raw:
        raise ProblemError(
            error(Where(label=project.name), "It is not known what a raw sample looks like", "Facts about the data",
                  "Train again, or export the Python file and the weights", code="bundle")
        )  # fmt: skip
    folder.mkdir()
    described = {stream: module.describe() for stream, module in preprocess.items()}
    (folder / bundle.MODEL).write_text(standalone(project, analysis, statistics=described), "utf-8")
    (folder / bundle.PREDICT).write_text(predict_of(project, analysis, statistics), "utf-8")
    data = known_data(project)
    classes = {name: list(target.classes) for name, target in data.targets.items()} if data else {}
    _write_json(folder / bundle.CLASSES, classes)
    _write_json(folder / bundle.PREPROCESSING, {name: module.config() for name, module in preprocess.items()})
    (folder / bundle.PROJECT).write_text(to_text(original), "utf-8")
    names = [end.name for end in find_ends(project).inputs]
    example = {name: item[:1].clone() for name, item in zip(names, trial.raw[0], strict=True)}
    try:
        torch.save({name: item.contiguous() for name, item in weights.items()}, folder / bundle.WEIGHTS)
        torch.save(example, folder / bundle.EXAMPLE)
        torch.save({name: item.clone() for name, item in expected.items()}, folder / bundle.EXPECTED)
        if statistics:
            torch.save(dict(statistics), folder / bundle.STATISTICS)
    except RuntimeError as fault:  # how torch tells a full disk
        raise OSError(str(fault)) from None


def predict_of(project: Project, analysis: Analysis, statistics: Mapping[str, Any]) -> str:
    """The text of `predict.py`."""
    return bundle.predict_text(project, analysis, statistics=bool(statistics))


def pack(folder: Path, target: Path) -> None:
    """One zip of a folder, which unpacks into a folder of its name."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(folder.iterdir()):
            packed.write(file, f"{folder.name}/{file.name}")


def _write_json(file: Path, value: Any) -> None:
    file.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", "utf-8")
