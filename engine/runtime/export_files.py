"""The files of an export: code, weights with their metadata, and statistics of the preprocessing.

Owns what is written and how. Never reads anything back and never gives a file its final name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from engine.analysis import Analysis
from engine.project import Project
from engine.runtime.checkpoint import weights_of
from engine.runtime.data import Preprocess
from engine.source_ends import find_ends
from engine.standalone import standalone

READABLE = 0o644
"""safetensors makes files that only their owner may read; an export is to be handed on."""


@dataclass(frozen=True)
class Subject:
    """What is exported: a model in eval mode with all that belongs to it."""

    project: Project
    analysis: Analysis
    model: nn.Module
    preprocess: Mapping[str, Preprocess]
    inputs: tuple[str, ...]
    """Streams, one per argument of `forward`."""
    about: Mapping[str, str]
    has_weights: bool


@dataclass(frozen=True)
class Made:
    """The files of an export while they still lie aside."""

    main: Path
    code: Path
    statistics: Path | None
    architecture: str


def write_code(subject: Subject, file: Path) -> None:
    """The readable Python file; OSError when the disk refuses."""
    described = (
        {stream: module.describe() for stream, module in subject.preprocess.items()} if subject.has_weights else None
    )
    file.write_text(standalone(subject.project, subject.analysis, statistics=described), "utf-8")


def write_files(subject: Subject, folder: Path, name: str, format: str, *, half: bool = False) -> Made:
    """Writes code or weights under their final name into `folder`; OSError when the disk refuses.

    With `half` weights are kept as numbers of 16 bits.
    """
    architecture = hashlib.sha256(subject.analysis.source.encode()).hexdigest()
    main = folder / name
    code = main if format == "python" else folder / "the_code.py"
    write_code(subject, code)
    writers: dict[str, Callable[[], Any]] = {
        "python": lambda: None,
        "state_dict": lambda: torch.save(
            _of_bits({key: value.cpu() for key, value in subject.model.state_dict().items()}, half=half), main
        ),
        "safetensors": lambda: safetensors.torch.save_file(
            _of_bits(weights_of(subject.model), half=half), main, metadata=metadata_of(subject, architecture)
        ),
    }
    try:
        writers[format]()
    except (RuntimeError, safetensors.SafetensorError) as fault:  # how torch and safetensors tell a full disk
        raise OSError(str(fault)) from None
    main.chmod(READABLE)
    return Made(main, code, _statistics(subject, folder, name), architecture)


def _of_bits(weights: dict[str, Tensor], *, half: bool) -> dict[str, Tensor]:
    return {name: item.half() if half and item.is_floating_point() else item for name, item in weights.items()}


def metadata_of(subject: Subject, architecture: str) -> dict[str, str]:
    """What travels inside a file of weights or a program, every value as text."""
    data = subject.project.data
    classes = {name: list(target.classes) for name, target in data.targets.items()} if data else {}
    table = {"table": json.dumps(data.extra["table"])} if data and "table" in data.extra else {}
    return {
        "format": "pt", "made_by": "layerwright", "project": subject.project.name, "architecture": architecture,
        "class": subject.analysis.class_name, "classes": json.dumps(classes), **table, **subject.about,
    }  # fmt: skip


def statistics_of(subject: Subject) -> dict[str, Tensor]:
    """Statistics that are too many to stand in the code, by the argument of `predict` that takes them."""
    tensors: dict[str, Tensor] = {}
    for end in find_ends(subject.project).inputs:
        module = subject.preprocess.get(end.stream)
        if subject.has_weights and module and module.standardize != "none" and not module.describe().mean:
            tensors[f"{end.name}_mean"] = module.mean.detach().clone().contiguous()
            tensors[f"{end.name}_deviation"] = module.deviation.detach().clone().contiguous()
    return tensors


def _statistics(subject: Subject, folder: Path, name: str) -> Path | None:
    """`NAME.preprocess.safetensors` for such statistics; None without."""
    tensors = statistics_of(subject)
    if not tensors:
        return None
    file = folder / f"{Path(name).stem}.preprocess.safetensors"
    safetensors.torch.save_file(tensors, file)
    file.chmod(READABLE)
    return file


def write_neutral(subject: Subject, folder: Path) -> Path | None:
    """Mean 0 and deviation 1 for the arguments that `predict` takes while nothing was trained."""
    if subject.project.recipe.made("preprocess").standardize == "none":
        return None
    tensors: dict[str, Tensor] = {}
    for end in find_ends(subject.project).inputs:
        module = subject.preprocess.get(end.stream)
        if module and module.standardize != "none":
            tensors |= {f"{end.name}_mean": torch.zeros(1), f"{end.name}_deviation": torch.ones(1)}
    if not tensors:
        return None
    file = folder / "neutral.safetensors"
    safetensors.torch.save_file(tensors, file)
    return file
