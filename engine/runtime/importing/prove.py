"""Holds the rebuilt network against the original without computing anything: keys, shapes, types, and settings.

What torch prints of a module (`extra_repr`) names every setting that is not its default, so a setting that a layer of
the catalogue cannot express shows here, whatever it is.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import nn

from engine.analysis import Analysis
from engine.problem import Problem, ProblemError, Where, error
from engine.runtime.importing.module import Imported

_SILENT = ("inplace=True", "inplace=False")


def prove(original: nn.Module, imported: Imported, analysis: Analysis) -> None:
    """ProblemError when the graph has errors, or its network would differ from the original."""
    if not analysis.source:
        raise ProblemError(*(analysis.errors or (_nothing(),)))
    rebuilt = on_meta(analysis)
    theirs = {imported.key(key): value for key, value in original.state_dict().items() if _used(key, imported)}
    ours = rebuilt.state_dict()
    for key, value in ours.items():
        if key not in theirs:
            raise ProblemError(_differs(key, "the original has no such weights"))
        if value.shape != theirs[key].shape or value.dtype != theirs[key].dtype:
            raise ProblemError(_differs(key, f"it is {_facts(value)} here and {_facts(theirs[key])} in the original"))
    missing = next((key for key in theirs if key not in ours), None)
    if missing is not None:
        raise ProblemError(_differs(missing, "these weights are not in the graph"))
    parts = dict(rebuilt.named_modules())
    for path, part in original.named_modules():
        other = parts.get(imported.key(path))
        if other is not None and type(other) is type(part) and _settings(part) != _settings(other):
            raise ProblemError(_differs(path, f"({_settings(part)}) would become ({_settings(other)})"))


def on_meta(analysis: Analysis) -> nn.Module:
    """The network of a checked graph, without memory."""
    scope: dict[str, Any] = {"__name__": "layerwright_import"}
    with torch.device("meta"):
        exec(compile(analysis.source, "<import>", "exec"), scope)
        found: nn.Module = scope[analysis.class_name]()
    return found


def _used(key: str, imported: Imported) -> bool:
    return not any(not path or key == path or key.startswith(f"{path}.") for path in imported.unused)


def _settings(part: nn.Module) -> str:
    text = re.sub(r"\((\w+), \1\)", r"\1", part.extra_repr())  # a pair of equal sides is one side
    return ", ".join(word for word in text.split(", ") if word not in _SILENT)


def _facts(value: torch.Tensor) -> str:
    return f"{'×'.join(map(str, value.shape)) or 'a number'} {str(value.dtype).removeprefix('torch.')}"


def _differs(path: str, why: str) -> Problem:
    return error(
        Where(label=path), f"The graph would not be the same network: {why}", "The settings of the original",
        "Change this part of the code so that it uses settings the catalogue has", code="import.differs",
    )  # fmt: skip


def _nothing() -> Problem:
    return error("network", "There is no layer in it", "A network with at least one layer", "Import another one")
