"""Takes a model away: a readable Python file, a `state_dict`, or safetensors. Each is read back before it is given out.

The new file is written beside its place, read in a fresh process that cannot see Layerwright, run on a few samples and
compared with the live model; only then does it get its name. A failure leaves nothing behind. Never trains.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import nn

from engine.baking import plain_layers
from engine.datasets.facts import raw_streams
from engine.places import Places
from engine.problem import ProblemError, Where, error
from engine.project import Project
from engine.runtime import checkpoint as checkpoints
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.runtime.data.preprocess import make_preprocess
from engine.runtime.export_check import Attempt, Difference, compare, literal_units, too_different
from engine.runtime.export_files import Made, Subject, write_files, write_neutral
from engine.runtime.export_samples import Trial, drawn_trial, real_trial
from engine.runtime.randomness import guarded
from engine.runtime.reparametrized import baked
from engine.runtime.restore import Restored
from engine.source_ends import find_ends

SUFFIXES = {"python": ".py", "state_dict": ".pt", "safetensors": ".safetensors"}
"""Formats and the ending of their files."""


@dataclass(frozen=True)
class ExportReport:
    """A finished export and how well it was found to agree with the model."""

    path: str
    format: str
    files: tuple[str, ...]
    """Everything that was written: the file itself, and statistics of the preprocessing beside it."""
    samples: int
    real_samples: bool
    """True when it was tried on samples of the data, False when on drawn numbers."""
    largest_difference: float
    largest_relative_difference: float
    classes_agree: bool | None
    """None when no output answers with classes."""
    bytes: int
    seconds: float
    baked: tuple[str, ...] = ()
    """Paths of the layers whose computed kernels were written as plain ones."""

    def to_json(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        return asdict(self)


def export_run(
    restored: Restored, path: Path, *, format: str, places: Places | None = None, bake: bool = False
) -> ExportReport:  # fmt: skip
    """Exports a trained run. It is tried on samples of its data when `places` lead to them, else on drawn numbers.

    `bake` writes kernels that weight norm or spectral norm compute as plain ones, of plain layers.
    ProblemError when the result does not agree with the model or cannot be written; then nothing is left behind.
    """
    restored.model.to("cpu").eval()
    for module in restored.preprocess.values():
        module.to("cpu")
    about = {
        "run": restored.info.name, "checkpoint": restored.checkpoint, "epoch": str(restored.epoch),
        "preprocess": json.dumps({name: module.config() for name, module in restored.preprocess.items()}),
    }  # fmt: skip
    subject = Subject(
        restored.project, analyze(restored.project), restored.model, restored.preprocess, restored.built.inputs,
        about, True,
    )  # fmt: skip
    trial = real_trial(subject.project, subject.inputs, subject.preprocess, places) if places is not None else None
    return _export(subject, path, format, trial, bake=bake)


def export_project(project: Project, path: Path, *, format: str = "python", bake: bool = False) -> ExportReport:
    """Exports the code of a project that has no weights; only `python` is possible. `bake`: see `export_run`."""
    if format != "python":
        raise ProblemError(
            error(Where(label=project.name), f"A project has no weights to export as {format}",
                  "python, or a trained run", "Train it and export the run", code="export-no-weights")
        )  # fmt: skip
    analysis = analyze(project)
    with guarded():  # its weights are only for the comparison
        built = build(project, analysis=analysis)
    streams = raw_streams(project.data) if project.data else {}
    settings = project.recipe.made("preprocess")
    preprocess = {name: make_preprocess(stream, settings) for name, stream in streams.items()}
    subject = Subject(project, analysis, built.model.eval(), preprocess, built.inputs, {}, False)
    return _export(subject, path, format, None, bake=bake)


def _baked(subject: Subject) -> tuple[Subject, tuple[str, ...]]:
    """The same network of plain layers, and the paths of those whose kernels were computed."""
    model, paths = baked(subject.model)
    if not paths:
        return subject, ()
    project = plain_layers(subject.project)
    analysis = analyze(project)
    with guarded():  # its weights are replaced at once
        plain = build(project, analysis=analysis).model.eval()
    checkpoints.fill(plain, checkpoints.weights_of(model))
    return replace(subject, project=project, analysis=analysis, model=plain), paths


def _export(subject: Subject, path: Path, format: str, trial: Trial | None, *, bake: bool) -> ExportReport:
    began = time.perf_counter()
    trial = trial or drawn_trial(subject.project, subject.inputs, subject.preprocess)
    live = subject.model
    subject, paths = _baked(subject) if bake else (subject, ())
    target = path.resolve()
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as fault:
        raise ProblemError(_unwritable(path, fault)) from None
    try:
        made = write_files(subject, folder, target.name, format)
        difference = _tried(subject, live, made, trial, folder, format)
        if not difference.is_small:
            raise ProblemError(too_different(difference))
        files = [made.main, *([made.statistics] if made.statistics else [])]
        sizes = sum(file.stat().st_size for file in files)
        # The statistics first: the file itself must never stand there without them.
        for file in reversed(files):
            os.replace(file, target.parent / file.name)
    except OSError as fault:
        raise ProblemError(_unwritable(path, fault)) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return ExportReport(
        str(path), format, tuple(str(path.parent / file.name) for file in files), trial.count, trial.are_real,
        difference.absolute, difference.relative, difference.classes_agree, sizes, time.perf_counter() - began,
        paths,
    )  # fmt: skip


def _tried(
    subject: Subject, live: nn.Module, made: Made, trial: Trial, folder: Path, format: str
) -> Difference:  # fmt: skip
    """Reads the files back and compares them with the live model, as it was trained."""
    weights, statistics = made.main, made.statistics
    if format == "python":
        weights = folder / "weights.safetensors"
        safetensors.torch.save_file(checkpoints.weights_of(subject.model), weights)
    ends = find_ends(subject.project)
    if not subject.has_weights:
        statistics = write_neutral(subject, folder)
    targets = subject.project.data.targets if subject.project.data else {}
    units = [
        literal_units(target.mean, target.deviation) if (target := targets.get(end.target)) else None
        for end in ends.outputs
    ]
    attempt = Attempt(
        made.code, subject.analysis.class_name, weights, format, made.architecture, statistics,
        tuple(end.name for end in ends.inputs),
    )  # fmt: skip
    return compare(attempt, live, trial, ends.outputs, units, folder=folder)


def _unwritable(path: Path, fault: OSError) -> Any:
    with suppress(OSError):
        path = path.resolve()
    return error(
        Where(label=path.name, file=str(path)), f"The export could not be written: {fault.strerror or fault}",
        "A folder that can be written to, with space left", "Free some space, or choose another folder",
        code="file.write",
    )  # fmt: skip
