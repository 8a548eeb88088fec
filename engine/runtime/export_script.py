"""What a training script has to know of a run beyond its project: groups of weights, penalties, statistics, and what
happened that no script repeats.

Owns the way from a live model to names of weights, and the proof that a script brings the very samples of the training
and ends its first epoch with the very losses. Never trains itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from math import isfinite
from typing import Any

import torch
from torch import nn

from engine.analysis import Analysis
from engine.events import Edited, EpochEnded, RunResumed
from engine.places import Places
from engine.problem import ProblemError
from engine.project import Project
from engine.runs import read_events
from engine.runtime.data import Data, Preprocess
from engine.runtime.freezing import freeze_layers
from engine.runtime.groups import made_groups
from engine.runtime.penalty import ruled
from engine.runtime.reading_process import fault
from engine.runtime.reparametrized import kernels_by_output, reparametrized
from engine.runtime.restore import Restored
from engine.runtime.setup import hidden_matrices, layout_of, open_for
from engine.script import Script, Trained
from engine.script_shape import Weights
from engine.source_ends import find_ends

NORMS = nn.modules.batchnorm._BatchNorm
CLOSE = 1e-3
"""Relative difference of a loss within which another machine, or more threads, may round otherwise."""
LONGEST = 20.0
"""Seconds of an epoch up to which a script's first epoch is tried."""


def weights_of_training(project: Project, analysis: Analysis, model: nn.Module) -> tuple[Weights, list[str]]:
    """What the training does to weights by name, and what of it no script repeats."""
    limits = []
    model = deepcopy(model).train()
    freeze_layers(model, project.recipe, analysis.parts)
    held = [name for name, module in model.named_modules() if name and "train" in vars(module)]
    frozen = [name for name, item in model.named_parameters() if not item.requires_grad]
    named = {id(item): name for name, item in model.named_parameters()}
    ready: Any = _Known(project, analysis)
    groups = made_groups(project.recipe, model, hidden_matrices(ready, model), analysis.parts)
    listed = tuple(
        ([named[id(item)] for item in group["params"]], {key: value for key, value in group.items() if key != "params"})
        for group in groups
        if isinstance(group, dict)
    )
    layout = layout_of(ready, model)
    transposed = kernels_by_output(model)
    decayed: dict[tuple[float, float], list[str]] = {}
    bounded: dict[tuple[float, int], list[str]] = {}
    for rule, item in ruled(model, analysis.rules):
        if not item.requires_grad:
            continue
        if rule.l1 or rule.l2:
            decayed.setdefault((rule.l1, rule.l2), []).append(named[id(item)])
        if rule.max_norm:
            bounded.setdefault((rule.max_norm, int(id(item) in transposed)), []).append(named[id(item)])
    computed = [analysis.rules[path] for path in reparametrized(model) if path in analysis.rules]
    if any(rule.l1 or rule.l2 for rule in computed):
        limits.append("Weights that weight norm or spectral norm compute are not penalised; in the training they were")
    adaptive = project.recipe.made("clip").mode == "adaptive"
    if adaptive and layout.transposed:
        limits.append("Adaptive clipping counts units of transposed convolutions along the first axis")
    weights = Weights(
        listed, [(names, *key) for key, names in decayed.items()], [(names, *key) for key, names in bounded.items()],
        [name for key, name in named.items() if key in layout.exempt] if adaptive else (), frozen, held,
    )  # fmt: skip
    return weights, limits


class _Known:
    """The part of `Ready` that tells hidden layers from others."""

    def __init__(self, project: Project, analysis: Analysis) -> None:
        self.project, self.analysis = project, analysis


def trained_of(
    project: Project, analysis: Analysis, model: nn.Module, preprocess: Mapping[str, Preprocess],
    restored: Restored | None,
) -> Trained:  # fmt: skip
    """Everything that the script of a run says; `restored` None for a project that was not trained."""
    weights, limits = weights_of_training(project, analysis, model)
    merges = any(isinstance(item, NORMS) for item in model.modules())
    if restored is None:
        return Trained(weights, merges, seed=project.recipe.seed, limits=tuple(limits))
    info = restored.info
    limits = [*_happened(restored), *limits]
    described = {name: module.describe() for name, module in preprocess.items()}
    figures = {name: float(value) for name, value in info.final.items() if name in ("train_loss", "val_loss") and value}
    return Trained(
        weights, merges, {name: found for name, found in described.items() if found.mean}, info.seed,
        max(1, info.threads), info.epochs, info.epoch, {} if limits else figures, info.versions.get("torch", ""),
        tuple(limits),
    )  # fmt: skip


def _happened(restored: Restored) -> list[str]:
    """What came about while the run trained, and is in no recipe."""
    info, found = restored.info, []
    if not info.device.startswith("cpu"):
        found.append(f"The run was on {info.device}; a CPU rounds otherwise in the last digits")
    if restored.differs:
        found.append("The network's code was another one when the run began")
    planned = {info.epochs}
    for event in read_events(info.path):
        if isinstance(event, Edited):
            found.append(f"In step {event.step} somebody changed the running recipe: {event.words}")
        if isinstance(event, RunResumed):
            planned.add(event.epochs)
    if len(planned) > 1 and restored.project.recipe.get("schedule")["type"] != "constant":
        found.append("The run went on for more epochs than its schedule was made for at first")
    if any(item["type"] == "plugin" for item in restored.project.recipe.get("callbacks")):
        found.append("Callbacks of one's own are left out")
    return found


def digests(data: Data, split: str) -> dict[str, Any]:
    """SHA-256 of every tensor of a split in its own order, inputs first, as the other process reckons it."""
    sums: list[Any] = []
    for batch in data.eval_batches(split):
        tensors = (*batch.inputs, *batch.targets)
        sums = sums or [hashlib.sha256() for _ in tensors]
        for one, item in zip(sums, tensors, strict=True):
            one.update(item.contiguous().numpy().tobytes())
    return {"sums": [one.hexdigest() for one in sums], "samples": data.facts.counts.get(split, 0)}


def proof_of(
    project: Project, restored: Restored | None, places: Places | None, trained: Trained, script: Script
) -> dict[str, Any]:  # fmt: skip
    """What the other process is to find: digests of the samples where the data is at hand, figures of epoch 1."""
    if places is None:
        return {}
    try:
        data = open_for(project, places, device=torch.device("cpu"), workers=0)
    except ProblemError:
        return {}
    with data:
        splits = {name: digests(data, name) for name in ("train", "val") if data.facts.counts.get(name)}
    wanted: dict[str, Any] = {
        "splits": splits, "folder": _folder(project, places), "threads": trained.threads, "batched": script.batched,
        "inputs": len(find_ends(project).inputs),
    }  # fmt: skip
    first = next(_ended(restored), None) if restored is not None and not script.limits else None
    if first is not None and first.seconds <= LONGEST:
        figures = {"train_loss": first.train_loss, "val_loss": first.val_loss}
        wanted["same_torch"] = restored is not None and restored.info.versions.get("torch") == str(torch.__version__)
        wanted["first"] = {name: value for name, value in figures.items() if value is not None and isfinite(value)}
    return wanted


def refuse_other_training(proof: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    """ProblemError where a script brings other samples than the training had, or its first epoch ends otherwise."""
    for split, wanted in proof.get("splits", {}).items():
        if told["splits"][split] != wanted["sums"]:
            raise ProblemError(fault(f"The script reads other {split} samples than the training had"))
    if not proof.get("first") or repeats(proof, told) or not proof["same_torch"]:
        return
    for name, wanted in proof["first"].items():
        found = told["first"].get(name, float("nan"))
        if not abs(found - wanted) <= CLOSE * abs(wanted):
            raise ProblemError(fault(f"The script's first epoch ends with {name} {found!r}, the run's with {wanted!r}"))


def repeats(proof: Mapping[str, Any], told: Mapping[str, Any]) -> bool | None:
    """Whether the first epoch ends with the very losses of the run; None where that was not tried."""
    if not proof.get("first"):
        return None
    return all(told["first"].get(name) == wanted for name, wanted in proof["first"].items())


def _ended(restored: Restored) -> Iterator[EpochEnded]:
    return (event for event in read_events(restored.info.path) if isinstance(event, EpochEnded))


def _folder(project: Project, places: Places) -> str:
    """The folder or file that `load_data` takes; "" where it needs none."""
    from engine.datasets.find import candidates
    from engine.runtime.data import torchvision_sets

    settings = project.recipe.made("data")
    if hasattr(settings, "torchvision"):
        return str(torchvision_sets._find(settings, places) or "")
    path = str(getattr(settings, "path", ""))
    return next((str(place) for place in candidates(path, places) if place.is_file()), "") if path else ""
