"""Takes a model away: as code, weights, a program or a bundle. Each is read back before it is given out.

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

from engine.baking import plain_layers
from engine.datasets.facts import raw_streams
from engine.formats import FORMATS, ExportOptions, unfit
from engine.places import Places
from engine.problem import ProblemError, Where, error
from engine.project import Project
from engine.runtime import checkpoint as checkpoints
from engine.runtime import reading_process
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.runtime.data.preprocess import make_preprocess
from engine.runtime.export_bundle import refuse_folder
from engine.runtime.export_check import Difference, compare, literal_units, tolerance_of, too_different
from engine.runtime.export_files import Subject
from engine.runtime.export_samples import Trial, drawn_trial, real_trial
from engine.runtime.export_script import repeats
from engine.runtime.export_written import Order, Written, write
from engine.runtime.onnx_file import refuse_without_packages
from engine.runtime.randomness import guarded
from engine.runtime.reparametrized import baked
from engine.runtime.restore import Restored
from engine.source_ends import find_ends


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
    """Of the largest value of an output."""
    allowed: float
    """The relative difference above which the export would have failed."""
    classes_agree: bool | None
    """None when no output answers with classes."""
    agreement: float | None
    """Share of samples that are given the same class."""
    bytes: int
    latency_ms: float
    """Of one sample with one thread, in the process that read it back."""
    seconds: float
    options: tuple[str, ...] = ()
    baked: tuple[str, ...] = ()
    """Paths of the layers whose computed kernels were written as plain ones."""
    folded: tuple[str, ...] = ()
    """Paths of the norms that became a part of the layer before them."""
    limits: tuple[str, ...] = ()
    """What a training script does not repeat exactly, in words."""
    same_samples: bool | None = None
    """A training script read the very samples of the training; None where that was not tried."""
    same_losses: bool | None = None
    """Its first epoch ended with the very losses of the run; None where that was not tried."""

    def to_json(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        return asdict(self)


def export_run(
    restored: Restored, path: Path, *, format: str, places: Places | None = None, options: ExportOptions | None = None
) -> ExportReport:  # fmt: skip
    """Exports a trained run. It is tried on samples of its data when `places` lead to them, else on drawn numbers.

    A bundle becomes a zip where `path` ends in .zip, else a folder. ProblemError when the result does not agree with
    the model or cannot be written; then nothing is left behind.
    """
    options = options or ExportOptions()
    refuse(format, options)
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
    return _export(subject, path, Order(format, options, restored, places), trial)


def export_project(
    project: Project, path: Path, *, format: str = "python", places: Places | None = None,
    options: ExportOptions | None = None,
) -> ExportReport:  # fmt: skip
    """Exports the code of a project that has no weights: python, script or notebook. See `export_run`."""
    options = options or ExportOptions()
    refuse(format, options)
    if FORMATS[format].needs_run:
        raise ProblemError(
            error(Where(label=project.name), f"A project has no weights to export as {format}",
                  "python, script, notebook, or a trained run", "Train it and export the run", code="export-no-weights")
        )  # fmt: skip
    analysis = analyze(project)
    with guarded():  # its weights are only for the comparison
        built = build(project, analysis=analysis)
    streams = raw_streams(project.data) if project.data else {}
    settings = project.recipe.made("preprocess")
    preprocess = {name: make_preprocess(stream, settings) for name, stream in streams.items()}
    subject = Subject(project, analysis, built.model.eval(), preprocess, built.inputs, {}, False)
    return _export(subject, path, Order(format, options, places=places), None)


def refuse(format: str, options: ExportOptions) -> None:
    """ProblemError for options that a format does not know, and for packages that are missing."""
    if problem := unfit(format, options):
        raise ProblemError(problem)
    if FORMATS[format].packages:
        refuse_without_packages(format)


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


def _export(subject: Subject, path: Path, order: Order, trial: Trial | None) -> ExportReport:
    began = time.perf_counter()
    target = path.resolve()
    if order.format == "bundle":
        refuse_folder(target)
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as fault:
        raise ProblemError(_unwritable(path, fault)) from None
    try:
        # The other process imports torch while the files are written.
        with reading_process.opened() as reader:
            trial = trial or drawn_trial(subject.project, subject.inputs, subject.preprocess)
            plain, paths = _baked(subject) if order.options.bake else (subject, ())
            written = write(plain, subject, order, trial, folder, target.name)
            difference = _tried(subject, written, trial, folder, order, reader)
        written.finish(difference)
        size = sum(_size(file) for file in written.files)
        # Statistics first: the file itself must never stand there without them.
        for file in reversed(written.files):
            _put(file, target.parent / file.name)
    except OSError as fault:
        raise ProblemError(_unwritable(path, fault)) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return ExportReport(
        str(path), order.format, tuple(str(path.parent / file.name) for file in written.files), trial.count,
        trial.are_real, difference.absolute, difference.relative, tolerance_of(order.format, order.options).relative,
        difference.classes_agree, difference.agreement, size, difference.latency_ms, time.perf_counter() - began,
        order.options.chosen, paths, written.folded, written.limits,
        True if written.attempt.proof.get("splits") else None, repeats(written.attempt.proof, difference.told),
    )  # fmt: skip


def _tried(
    subject: Subject, written: Written, trial: Trial, folder: Path, order: Order, reader: reading_process.Reader
) -> Difference:  # fmt: skip
    """Reads the files back and compares them with the live model, as it was trained."""
    ends = find_ends(subject.project)
    targets = subject.project.data.targets if subject.project.data else {}
    units = [
        literal_units(target.mean, target.deviation) if (target := targets.get(end.target)) else None
        for end in ends.outputs
    ]
    difference = compare(written.attempt, subject.model, trial, ends.outputs, units, folder=folder, reader=reader)
    allowed = tolerance_of(order.format, order.options)
    if not difference.is_within(allowed):
        raise ProblemError(too_different(difference, allowed))
    return difference


def _size(file: Path) -> int:
    return sum(_size(item) for item in file.iterdir()) if file.is_dir() else file.stat().st_size


def _put(made: Path, place: Path) -> None:
    """Gives a file or folder its name. A folder of that name goes only if it is a bundle that was written here."""
    if made.is_dir() and place.is_dir():
        old = made.with_name(f"{made.name}.old")
        os.replace(place, old)
    os.replace(made, place)


def _unwritable(path: Path, fault: OSError) -> Any:
    with suppress(OSError):
        path = path.resolve()
    return error(
        Where(label=path.name, file=str(path)), f"The export could not be written: {fault.strerror or fault}",
        "A folder that can be written to, with space left", "Free some space, or choose another folder",
        code="file.write",
    )  # fmt: skip
