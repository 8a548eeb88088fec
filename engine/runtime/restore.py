"""A finished or running run as a model again: project, weights of a checkpoint, preprocessing.

Shared by evaluation, prediction and export. The network is built afresh from `project.lwr`; the `model.py` of the
folder is a record and never executed. Never trains.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from engine.problem import ProblemError, Where, error
from engine.project import Project
from engine.projectfile import read_project
from engine.runfiles import CHECKPOINTS, MODEL, PREPROCESS, PROJECT, STATISTICS, RunInfo, read_info, replace_file
from engine.runtime import checkpoint as checkpoints
from engine.runtime.build import Built, build
from engine.runtime.data import Preprocess
from engine.runtime.randomness import guarded


@dataclass(frozen=True)
class Restored:
    """A run's model in eval mode on the CPU, with the preprocessing of each input stream."""

    info: RunInfo
    project: Project
    built: Built
    preprocess: Mapping[str, Preprocess]
    checkpoint: str
    """Where the weights come from: `last`, `best`, or the name that a callback gave."""
    step: int
    epoch: int
    differs: bool
    """True when the code generated today is not the text that was recorded (keys and shapes were compared)."""

    @property
    def model(self) -> nn.Module:
        """The model."""
        return self.built.model


def load_run(run: Path, checkpoint: str = "") -> Restored:
    """The model of a run with the weights of a checkpoint by name or, for "", of what the run's result is.

    ProblemError when the folder is no run, no such checkpoint holds, or its weights do not fit the network.
    """
    info = read_info(run)
    kind = checkpoint or info.result
    project = replace(read_project(run / PROJECT).project, weights=None)  # those of the checkpoint are the run's
    saved = checkpoints.load(run / CHECKPOINTS, kind)
    if saved is None:
        raise ProblemError(checkpoints.none_holds(run / CHECKPOINTS, run.name, kind))
    with guarded():  # drawing weights that are replaced at once must not disturb a training beside
        built = build(project)
    checkpoints.fill(built.model, checkpoints.weights_that_count(saved), run.name)
    built.model.eval()
    return Restored(
        info, project, built, load_preprocess(run), kind, saved.step, saved.epoch, is_other_code(run, built.source)
    )


def is_other_code(run: Path, source: str) -> bool:
    """True when the recorded `model.py` differs from what the project generates today."""
    try:
        return (run / MODEL).read_text("utf-8") != source
    except (OSError, UnicodeDecodeError):
        return True


def save_preprocess(run: Path, preprocess: Mapping[str, Preprocess]) -> None:
    """Writes the preprocessing of each stream: settings as JSON, statistics as safetensors. OSError when refused."""
    tensors = {
        f"{stream}.{key}": value.detach().cpu().contiguous()
        for stream, module in preprocess.items()
        for key, value in module.state_dict().items()
    }
    (run / STATISTICS).write_bytes(safetensors.torch.save(tensors))
    settings = {stream: module.config() for stream, module in preprocess.items()}
    replace_file(run / PREPROCESS, json.dumps(settings, indent=1) + "\n")


def load_preprocess(run: Path) -> dict[str, Preprocess]:
    """The preprocessing that a run was trained with, by stream, on the CPU; ProblemError when it is damaged."""
    try:
        settings: dict[str, Any] = json.loads((run / PREPROCESS).read_text("utf-8"))
        tensors = safetensors.torch.load((run / STATISTICS).read_bytes())
        return {
            stream: Preprocess.from_config(config, _of_stream(tensors, stream)).eval()
            for stream, config in settings.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, safetensors.SafetensorError) as fault:
        reason = f"{fault} is missing" if isinstance(fault, KeyError) else getattr(fault, "strerror", None) or fault
        raise ProblemError(
            error(Where(label=run.name, file=str(run / PREPROCESS)),
                  f"The run's preprocessing cannot be read: {reason}",
                  "The files that the training wrote", "Train again, or restore the folder", code="run_unreadable")
        ) from None  # fmt: skip


def _of_stream(tensors: Mapping[str, torch.Tensor], stream: str) -> dict[str, torch.Tensor]:
    return {key: tensors[f"{stream}.{key}"] for key in ("mean", "deviation")}
