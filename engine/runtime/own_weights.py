"""The weights a project starts from: attached to it, held against its network, filled into a model.

Owns `attach`, `weights_problems` and `fill_own`. Where the file is and whether it is the right one stands in
`engine/weightfile.py`. Tensors are copied as they are; where the network has another precision torch converts them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from engine.problem import Fix, Problem, ProblemError, Where, error
from engine.project import OwnWeights, Project
from engine.tensorfacts import COUNTER, TensorFacts
from engine.weightfile import detach, keep, locate, store

_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32",
           "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool"}  # fmt: skip
"""How the file's header names types, and how torch does."""


def attach(
    project: Project, tensors: Mapping[str, Tensor], *, source: str = "", partial: bool = False
) -> Project:  # fmt: skip
    """The project with these weights, by `state_dict` key: training starts from them, evaluation and export take them.

    They are written to the store at once and beside the project when it is saved. `partial` takes what fits and draws
    the rest; else everything has to fit (`weights_problems` tells). ProblemError when the disk refuses.
    """
    plain = _apart(tensors)
    name = ""
    try:
        store().mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".new.", suffix=".tmp", dir=store())
        os.close(handle)
        safetensors.torch.save_file(plain, name, metadata={"format": "pt"})
        kept = keep(Path(name))
    except (OSError, RuntimeError, safetensors.SafetensorError) as fault:  # how the library tells a full disk
        raise ProblemError(error(
            Where(label="weights", file=str(store())), f"The weights could not be kept: {_first_line(fault)}",
            "A cache folder with room and permission to write", "Free some space", code="file.write",
        )) from None  # fmt: skip
    finally:
        with suppress(OSError):
            os.unlink(name)
    return replace(project, weights=replace(kept, source=source, partial=partial))


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors as the file can hold them, copied only where that is needed: none shares memory with another."""
    found: dict[str, Tensor] = {}
    seen: set[int] = set()
    for key, tensor in tensors.items():
        plain = tensor.detach().cpu().contiguous()
        memory = plain.untyped_storage().data_ptr()
        found[key] = plain.clone() if memory in seen or plain.untyped_storage().nbytes() != plain.nbytes else plain
        seen.add(memory)
    return found


def wanted_tensors(source: str, class_name: str) -> Mapping[str, TensorFacts] | None:
    """The `state_dict` of a generated model, in order, without drawing a number; None when torch cannot do that."""
    return _wanted(source, class_name) if source else None


def held_tensors(file: Path) -> dict[str, TensorFacts]:
    """What a safetensors file holds, in order of its keys, without reading the values; ProblemError when damaged."""
    try:
        with safetensors.safe_open(file, "pt") as opened:
            slices = {key: opened.get_slice(key) for key in opened.keys()}  # noqa: SIM118 (no mapping)
            return {
                key: TensorFacts(tuple(part.get_shape()), _DTYPES.get(part.get_dtype(), part.get_dtype()))
                for key, part in slices.items()
            }
    except (OSError, RuntimeError, ValueError, safetensors.SafetensorError) as fault:
        raise ProblemError(_unreadable(file, fault)) from None


def weights_problems(project: Project, source: str, class_name: str) -> list[Problem]:
    """Why the project's weights cannot be used for its network: missing, changed, or not fitting. Empty when fine."""
    if project.weights is None:
        return []
    try:
        held = held_tensors(locate(project.weights))
    except ProblemError as fault:
        return list(fault.problems)
    wanted = wanted_tensors(source, class_name)
    return [] if wanted is None else _unfit(project.weights, held, wanted)


def fill_own(model: nn.Module, project: Project) -> None:
    """Copies the project's weights into its model; does nothing when it has none. ProblemError when they do not fit."""
    if project.weights is None:
        return
    file = locate(project.weights)
    try:
        tensors = safetensors.torch.load_file(file)
    except (OSError, RuntimeError, ValueError, safetensors.SafetensorError) as fault:
        raise ProblemError(_unreadable(file, fault)) from None
    inside = model.state_dict()
    problems = _unfit(project.weights, facts_of(tensors), facts_of(inside))
    if problems:
        raise ProblemError(*problems)
    with torch.no_grad():
        for key, tensor in tensors.items():
            if key in inside and inside[key].shape == tensor.shape:
                inside[key].copy_(tensor)


def facts_of(tensors: Mapping[str, Tensor]) -> dict[str, TensorFacts]:
    """Shapes and types of tensors in memory."""
    return {
        key: TensorFacts(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        for key, tensor in tensors.items()
    }


@lru_cache(maxsize=8)
def _wanted(source: str, class_name: str) -> Mapping[str, TensorFacts] | None:
    scope: dict[str, Any] = {"__name__": "layerwright_shapes"}
    try:
        with torch.device("meta"):
            exec(compile(source, "<shapes>", "exec"), scope)
            return facts_of(scope[class_name]().state_dict())
    except (RuntimeError, NotImplementedError, ValueError, TypeError):  # an initializer that needs real numbers
        return None


def _unfit(
    weights: OwnWeights, held: Mapping[str, TensorFacts], wanted: Mapping[str, TensorFacts]
) -> list[Problem]:  # fmt: skip
    fitting = [key for key, facts in held.items() if key in wanted and wanted[key].shape == facts.shape]
    faults = list(_faults(held, wanted))
    if not faults or (weights.partial and fitting):
        return []
    origin = f" (from {weights.source})" if weights.source else ""
    more = f", and {len(faults) - 1:,} more" if len(faults) > 1 else ""
    some = Fix(
        "Load only what fits", f"{len(fitting):,} of {len(wanted):,} tensors; the rest is drawn from the seed",
        apply=lambda project: replace(project, weights=replace(weights, partial=True)),
    )  # fmt: skip
    none = Fix("Go on without these weights", "all weights are drawn from the seed", apply=detach)
    happened = f"The project's weights{origin} do not fit its network: {faults[0]}{more}"
    return [error(
        Where(label="weights", path="weights"), happened,
        "A tensor of the same name and shape for each of the network's",
        "Undo the change of the network, or load only what fits" if fitting else "Undo the change of the network, or "
        "go on without these weights", code="weights-unfit", fixes=(some, none) if fitting else (none,),
    )]  # fmt: skip


def _faults(held: Mapping[str, TensorFacts], wanted: Mapping[str, TensorFacts]) -> Iterator[str]:
    for key, facts in wanted.items():
        if key in held and held[key].shape != facts.shape:
            yield f"{key} is {held[key]} in the file and {facts} here"
        elif key not in held and not key.endswith(COUNTER):
            yield f"{key} has no weights"
    for key in held:
        if key not in wanted:
            yield f"{key} is in the file and not here"


def _unreadable(file: Path, fault: Exception) -> Problem:
    return error(
        Where(label=file.name, file=str(file)), f"The weights cannot be read: {_first_line(fault)}",
        "A whole safetensors file", "Open weights again", code="weights-unreadable",
    )  # fmt: skip


def _first_line(fault: Exception) -> str:
    words = getattr(fault, "strerror", None) or str(fault)
    return (str(words).strip().splitlines() or [type(fault).__name__])[0][:200]
