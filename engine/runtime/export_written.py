"""From a format and its options to the files of an export, still lying aside, and what the other process is to read.

Owns which writer belongs to which format. Never compares and never gives a file its final name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from engine import bundle
from engine.formats import ExportOptions
from engine.model_card import model_card
from engine.notebook import notebook_text
from engine.places import Places
from engine.problem import ProblemError, Where, error
from engine.runtime import checkpoint as checkpoints
from engine.runtime.export_bundle import pack, write_bundle
from engine.runtime.export_check import Attempt, Difference, answer_of, literal_units, one_thread
from engine.runtime.export_files import READABLE, Subject, metadata_of, statistics_of, write_files, write_neutral
from engine.runtime.export_program import made_program, write_program
from engine.runtime.export_samples import Trial
from engine.runtime.export_script import proof_of, refuse_other_training, trained_of
from engine.runtime.restore import Restored
from engine.script import training_script
from engine.source_ends import find_ends


@dataclass(frozen=True)
class Order:
    """What is wanted; `restored` is the run, None for a project alone."""

    format: str
    options: ExportOptions = field(default_factory=ExportOptions)
    restored: Restored | None = None
    places: Places | None = None
    """Where data is looked for."""


@dataclass(frozen=True)
class Written:
    """Files that still lie aside; the first is the export itself."""

    files: tuple[Path, ...]
    attempt: Attempt
    folded: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    """What a training script does not repeat, in words."""
    finish: Callable[[Difference], None] = lambda _difference: None
    """What is left to do when the export was found to agree."""


def write(subject: Subject, trained: Subject, order: Order, trial: Trial, folder: Path, name: str) -> Written:
    """Writes the files of `subject`, which is `trained` or its plain layers, under their final names into `folder`.

    ProblemError when a network cannot be written so, OSError when the disk refuses.
    """
    if order.format in ("torch_export", "onnx"):
        return _program(subject, order, trial, folder / name)
    if order.format in ("script", "notebook"):
        return _script(subject, order, folder, name)
    if order.format == "bundle":
        return _bundle(subject, trained, order, trial, folder, name)
    return _code(subject, order, folder, name)


def _names(subject: Subject) -> tuple[str, ...]:
    return tuple(end.name for end in find_ends(subject.project).inputs)


def _code(subject: Subject, order: Order, folder: Path, name: str) -> Written:
    made = write_files(subject, folder, name, order.format, half=order.options.half)
    weights = made.main
    if order.format == "python":
        weights = folder / "weights.safetensors"
        safetensors.torch.save_file(checkpoints.weights_of(subject.model), weights)
    statistics = made.statistics if subject.has_weights else write_neutral(subject, folder)
    attempt = Attempt(
        "code", made.main, _names(subject), made.code, subject.analysis.class_name, weights, order.format,
        made.architecture, statistics,
    )  # fmt: skip
    return Written((made.main, *([made.statistics] if made.statistics else [])), attempt)


def _script(subject: Subject, order: Order, folder: Path, name: str) -> Written:
    project, analysis = subject.project, subject.analysis
    trained = trained_of(project, analysis, subject.model, subject.preprocess, order.restored)
    script = training_script(project, analysis, trained)
    main, weights = folder / name, folder / "weights.safetensors"
    main.write_text(script.text if order.format == "script" else notebook_text(script), "utf-8")
    safetensors.torch.save_file(checkpoints.weights_of(subject.model), weights)
    proof = proof_of(project, order.restored, order.places, trained, script)
    attempt = Attempt(
        "script", main, _names(subject), class_name=analysis.class_name, weights=weights, format=order.format,
        proof=proof,
    )  # fmt: skip
    return Written(
        (main,), attempt, limits=script.limits, finish=lambda found: refuse_other_training(proof, found.told)
    )


def _program(subject: Subject, order: Order, trial: Trial, path: Path) -> Written:
    options = order.options
    if options.preprocess and not trial.raw:
        raise ProblemError(
            error(Where(label="--with-preprocessing"), "It is not known what a raw sample looks like",
                  "Facts about the data", "Leave preprocessing out, or train again", code="export-raw")
        )  # fmt: skip
    where = subject.project.name
    steps = [subject.preprocess[name] for name in subject.inputs] if options.preprocess else []
    model, folded = made_program(subject.model, steps, trial.prepared[0], options, where)
    given = trial.raw[0] if options.preprocess else trial.prepared[0]
    about = metadata_of(subject, hashlib.sha256(subject.analysis.source.encode()).hexdigest())
    about |= {"preprocessing_inside": str(options.preprocess).lower()}
    outputs = [end.name for end in find_ends(subject.project).outputs]
    write_program(
        order.format, model, given, path, names=_names(subject), outputs=outputs, about=about, int8=options.int8,
        where=where,
    )  # fmt: skip
    path.chmod(READABLE)
    return Written((path,), Attempt(order.format, path, _names(subject), takes_raw=options.preprocess), folded)


def _bundle(
    subject: Subject, trained: Subject, order: Order, trial: Trial, folder: Path, name: str
) -> Written:  # fmt: skip
    """The model card is completed, and the zip packed, when everything else was found to work."""
    assert order.restored is not None, "a bundle holds weights"
    zipped = Path(name).suffix.lower() == ".zip"
    inside = folder / "packed" / Path(name).stem if zipped else folder / name
    inside.parent.mkdir(exist_ok=True)
    # All of them, shared ones under each of their names: that is what `load_state_dict` asks for.
    weights = {key: item.detach().cpu() for key, item in subject.model.state_dict().items()}
    if order.options.half:
        weights = {key: item.half() if item.is_floating_point() else item for key, item in weights.items()}
    write_bundle(
        inside, subject.project, subject.analysis, subject.model, original=trained.project,
        preprocess=subject.preprocess, statistics=statistics_of(subject), weights=weights, trial=trial,
        expected=_expected(subject, weights, trial),
    )  # fmt: skip
    restored = order.restored
    card = inside / bundle.CARD

    def finish(difference: Difference) -> None:
        text = model_card(
            subject.project, subject.analysis, restored.info, checkpoint=restored.checkpoint, epoch=restored.epoch,
            files=sorted(item.name for item in inside.iterdir()), proof=_proof(difference, trial),
            real_example=trial.are_real,
        )  # fmt: skip
        card.write_text(text, "utf-8")
        for item in inside.iterdir():
            item.chmod(READABLE)
        if zipped:
            pack(inside, folder / name)

    target = folder / name
    if not zipped:
        inside.chmod(0o755)
    return Written((target,), Attempt("bundle", inside, _names(subject)), finish=finish)


def _expected(subject: Subject, weights: Mapping[str, Tensor], trial: Trial) -> dict[str, Tensor]:
    """What the network answers to the first sample with the weights as they are kept."""
    model = subject.model
    live = {key: item.clone() for key, item in checkpoints.weights_of(model).items()}
    targets = subject.project.data.targets if subject.project.data else {}
    ends = find_ends(subject.project).outputs
    try:
        checkpoints.fill(model, weights)
        with one_thread(), torch.inference_mode():
            result = model(*(item[:1] for item in trial.prepared[0]))
    finally:
        checkpoints.fill(model, live)
    outputs = (result,) if isinstance(result, Tensor) else tuple(result)
    found = {}
    for end, output in zip(ends, outputs, strict=True):
        target = targets.get(end.target)
        found[end.name] = answer_of(end, output, literal_units(target.mean, target.deviation) if target else None)
    return found


def _proof(difference: Difference, trial: Trial) -> str:
    kind = "samples of the data" if trial.are_real else "drawn samples"
    agree = "" if difference.agreement is None else f"; {difference.agreement:.0%} of them are given the same class"
    return (
        f"This bundle was loaded by its own `{bundle.PREDICT}` in a process that had only PyTorch, and compared with "
        f"the trained network on {trial.count} {kind}: largest difference {difference.absolute:.3g} "
        f"({difference.relative:.3g} of the largest value){agree}. One sample takes {difference.latency_ms:.3g} ms on "
        "one thread of that machine."
    )
