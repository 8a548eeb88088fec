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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch

from engine.datasets.facts import raw_streams
from engine.places import Places
from engine.problem import ProblemError, Where, error
from engine.project import Project
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.runtime.checkpoint import weights_of
from engine.runtime.data.preprocess import make_preprocess
from engine.runtime.export_check import Attempt, Difference, compare, literal_units, too_different
from engine.runtime.export_files import Made, Subject, write_files, write_neutral
from engine.runtime.export_samples import Trial, drawn_trial, real_trial
from engine.runtime.randomness import guarded
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

    def to_json(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        return asdict(self)


def export_run(restored: Restored, path: Path, *, format: str, places: Places | None = None) -> ExportReport:
    """Exports a trained run. It is tried on samples of its data when `places` lead to them, else on drawn numbers.

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
    return _export(subject, path, format, trial)


def export_project(project: Project, path: Path, *, format: str = "python") -> ExportReport:
    """Exports the code of a project that has no weights; only `python` is possible."""
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
    return _export(subject, path, format, None)


def _export(subject: Subject, path: Path, format: str, trial: Trial | None) -> ExportReport:
    began = time.perf_counter()
    trial = trial or drawn_trial(subject.project, subject.inputs, subject.preprocess)
    target = path.resolve()
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as fault:
        raise ProblemError(_unwritable(path, fault)) from None
    try:
        made = write_files(subject, folder, target.name, format)
        difference = _tried(subject, made, trial, folder, format)
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
    )  # fmt: skip


def _tried(subject: Subject, made: Made, trial: Trial, folder: Path, format: str) -> Difference:
    """Reads the files back and compares them with the live model."""
    weights, statistics = made.main, made.statistics
    if format == "python":
        weights = folder / "weights.safetensors"
        safetensors.torch.save_file(weights_of(subject.model), weights)
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
    return compare(attempt, subject.model, trial, ends.outputs, units, folder=folder)


def _unwritable(path: Path, fault: OSError) -> Any:
    with suppress(OSError):
        path = path.resolve()
    return error(
        Where(label=path.name, file=str(path)), f"The export could not be written: {fault.strerror or fault}",
        "A folder that can be written to, with space left", "Free some space, or choose another folder",
        code="file.write",
    )  # fmt: skip
