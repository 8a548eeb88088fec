"""Groups and names, read out of what exporters write: paths of modules in names of nodes, of weights, and in notes.

torch's exporters write `/layer1/layer1.0/conv1/Conv` or a note with all modules around; TensorFlow's write
`model/block/conv/Conv2D`; many write nothing but the names of the weights, `layer1.0.conv1.weight`.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from torch import nn

from engine.names import name_fault
from engine.runtime.importing.onnx.file import Operation
from engine.runtime.importing.steps import Scope

_WEIGHT_WORDS = frozenset({"weight", "bias", "running_mean", "running_var", "kernel", "gamma", "beta"})
_WEIGHTED = frozenset({
    "Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "LayerNormalization", "InstanceNormalization",
    "GroupNormalization", "LSTM", "GRU", "PRelu",
})  # fmt: skip


class Scopes:
    """Where each node of a file belongs."""

    def __init__(self, operations: Sequence[Operation], *, torchs: bool) -> None:
        """`torchs` says that torch wrote the file, whose paths have no beginning in common that says nothing."""
        self.classes: dict[str, str] = {}
        found = {id(item): self._stated(item) for item in operations}
        shared = 0 if torchs else _shared(found.values())
        self._owners = {key: ".".join(parts[shared:]) for key, parts in found.items()}
        self._weighted = Counter(self.owner(item) for item in operations if item.kind in _WEIGHTED)
        self._homes = {parent_of(path) for owner in self._owners.values() for path in _above(owner)}
        self._called = {path for owner in self._owners.values() for path in _above(owner)}

    def owner(self, operation: Operation) -> str:
        """Path of the innermost module around a node; empty for the network itself."""
        return self._owners.get(id(operation), "")

    def own(self, operation: Operation | None, word: str) -> str:
        """Path for a module of this node that the file's weights do not name."""
        owner = self.owner(operation) if operation is not None else ""
        alone = owner and self._weighted[owner] <= 1 and owner not in self._homes
        return owner if alone else f"{owner}.{word}".lstrip(".")

    def around(self, owner: str) -> Scope:
        """The modules around something at a path, outermost first."""
        return tuple((path, 0) for path in _above(owner) if path in self._called)

    def path_of(self, operation: Operation | None, weights: Sequence[str], word: str) -> str:
        """Path for the module of a node: the one around it, where it is that module's only layer; else as its weights
        are called.
        """
        owner = self.owner(operation) if operation is not None else ""
        own = self.own(operation, word)
        if own == owner and owner:
            return own
        stated = next(filter(None, map(_module_of, weights)), "")
        return stated if stated.startswith(f"{owner}." if owner else "") and stated else own

    def parameter_of(self, operation: Operation | None, name: str) -> str:
        """Path of a parameter that stands by itself; empty when its name is no path."""
        if not sound(name) or "::" in name:
            return ""
        owner = self.owner(operation) if operation is not None else ""
        inside = not owner or name.startswith(f"{owner}.")
        return name if inside else f"{owner}.{name.rpartition('.')[2]}"

    def _stated(self, item: Operation) -> list[str]:
        """The parts of the path that a node states, from the outside in."""
        noted = _list(item.about.get("pkg.torch.onnx.name_scopes", ""))
        if noted:
            kinds = _list(item.about.get("pkg.torch.onnx.class_hierarchy", ""))
            for path, kind in zip(noted, kinds, strict=False):
                if path and "." in kind:
                    self.classes[path] = kind.rpartition(".")[2]
            scopes = [path for path in noted[:-1] if path and sound(path)]
            return scopes[-1].split(".") if scopes else []
        name = item.name.split(";")[0]
        if "/" not in name.strip("/") and not name.startswith("/"):
            return []
        parts: list[str] = []
        for word in name.strip("/").split("/")[:-1]:
            # torch repeats the path of a list or sequence: layer1, then layer1.0
            if parts and word.startswith(f"{parts[-1]}."):
                parts.pop()
            parts.append(word)
        return [_named(inner) for word in parts for inner in word.split(".") if inner]


def _module_of(weight: str) -> str:
    """Path of the module that a weight's name speaks of; empty when it is no such name."""
    path, _, word = weight.rpartition(".")
    return path if word in _WEIGHT_WORDS and sound(path) else ""


def sound(path: str) -> bool:
    """Whether a path can be the path of a module."""
    return bool(path) and len(path) < 400 and all(not name_fault(part) for part in path.split("."))


def parent_of(path: str) -> str:
    """The path above."""
    return path.rpartition(".")[0]


def free_path(root: nn.Module, wanted: str) -> str:
    """A path at which nothing stands yet."""
    home, _, name = wanted.rpartition(".")
    try:
        around = root.get_submodule(home)
    except AttributeError:
        return wanted
    stem, number = name.rstrip("0123456789"), 1
    if not stem:
        stem = f"layer{name}_"
    while hasattr(around, name):
        number += 1
        name = f"{stem}{number}"
    return f"{home}.{name}".lstrip(".")


def _named(word: str) -> str:
    """A word of the file as a name."""
    plain = re.sub(r"\W+", "_", word).strip("_")[:60] or "part"
    if name_fault(plain):
        plain = f"{plain}_" if not plain[0].isdigit() else f"part_{plain}"
    return plain


def _list(text: str) -> list[str]:
    """A list of words, as the exporter notes it."""
    try:
        found: Any = ast.literal_eval(text) if text.startswith("[") else []
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return []
    return [item for item in found if isinstance(item, str)]


def _above(owner: str) -> list[str]:
    """A path and all above it, outermost first."""
    return list(accumulate(owner.split("."), lambda one, two: f"{one}.{two}")) if owner else []


def _shared(paths: Iterable[list[str]]) -> int:
    """How many words all paths begin with, beyond which they differ (`StatefulPartitionedCall`, `model`)."""
    several = [path for path in paths if path]
    count = 0
    while several and all(len(path) > count + 1 and path[count] == several[0][count] for path in several):
        if several[0][count].isdecimal() or len(several) < 3:
            break
        count += 1
    return count
