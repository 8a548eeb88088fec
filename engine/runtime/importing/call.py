"""One recorded call while it is translated: its values, its place, and the steps that come out of it.

Values are wires (tensors that hold a batch), plain numbers, weights that the code reads by themselves, or several of
these. A batch may stand on another axis than the first: a wire then remembers which, and its layer has it first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from torch import Tensor, fx, nn

from engine.problem import ProblemError, Where, error
from engine.runtime.importing.steps import Feed, Scope, Step
from engine.runtime.importing.trace import BATCHES, CALL, SCOPE


@dataclass(frozen=True, slots=True)
class Wire:
    """A tensor that holds a batch; `shape` is the real one's without the batch, which stands on axis `batch`."""

    feed: Feed
    shape: tuple[int, ...]
    batch: int = 0
    dtype: str = "float32"

    @property
    def rank(self) -> int:
        """Axes of the real tensor, the batch included."""
        return len(self.shape) + 1

    def axis(self, dim: int) -> int | None:
        """The axis of a sample that torch calls `dim`; None for the batch."""
        dim %= self.rank
        return None if dim == self.batch else dim if dim < self.batch else dim - 1


@dataclass(frozen=True, slots=True)
class Growing:
    """A number, or a tuple with numbers, that grows with the batch: its value for each size of `BATCHES`."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Weight:
    """A parameter or buffer that the code reads by itself."""

    path: str
    tensor: Tensor


class Untranslatable(Exception):
    """Why a call cannot become a layer."""


@dataclass
class Call:
    """One recorded call. `made` collects the steps; a name that is taken gets a number later."""

    node: fx.Node
    root: nn.Module
    made: list[Step] = field(default_factory=list)

    @property
    def scope(self) -> Scope:
        """The calls of modules around this one."""
        found: Scope = self.node.meta.get(SCOPE, ())
        return found

    @property
    def module_path(self) -> str:
        """Path of the module that is called; of the one whose code calls, for an operation."""
        if self.node.op == "call_module":
            return str(self.node.target)
        return self.scope[-1][0] if self.scope else ""

    def step(
        self, type_name: str, params: Mapping[str, Any], *wires: Wire, name: str = "", path: str = "",
        stateful: bool = False, dim: int = 0, batch: int | None = None, value: Any = None,
    ) -> Wire:  # fmt: skip
        """A layer fed by wires. Its result has the shape that was recorded, or that of the recorded value `value`."""
        shape, found, dtype = layout(self.values if value is None else value)
        key = f"{self.node.name}#{len(self.made)}"
        number = self.node.meta.get(CALL, 0)
        self.made.append(
            Step(key, self.scope, type_name, dict(params), tuple(wire.feed for wire in wires), path,
                 name or type_name, stateful, number)
        )  # fmt: skip
        return Wire(Feed(key), shape, found if batch is None else batch, dtype)

    @property
    def values(self) -> tuple[Any, ...]:
        """What the call gave for each size of the batch."""
        found: tuple[Any, ...] = tuple(self.node.meta.get("values", ()))
        return found

    def first_of_each(self) -> tuple[Any, ...]:
        """The first of several results, for each size of the batch."""
        return tuple(item[0] for item in self.values)

    @property
    def word(self) -> str:
        """Name of the operation."""
        return word_of(self.node.target)

    def refuse(self, why: str) -> NoReturn:
        """Gives up, with a reason that goes into the Problem."""
        raise Untranslatable(why)


def word_of(target: Any) -> str:
    """Name of a function or method."""
    return str(getattr(target, "__name__", target))


def layout(values: tuple[Any, ...]) -> tuple[tuple[int, ...], int, str]:
    """(shape without the batch, axis of the batch, dtype) of a tensor that was recorded for each size of a batch."""
    small, large = (tuple(value.shape) for value in values)
    growing = [axis for axis in range(len(small)) if small[axis] != large[axis]]
    dtype = str(values[0].dtype).removeprefix("torch.")
    if len(small) != len(large) or len(growing) > 1:
        raise Untranslatable("its result grows with the batch along several axes")
    if not growing:
        raise Untranslatable("its result does not depend on the samples of a batch")
    axis = growing[0]
    if (small[axis], large[axis]) != BATCHES:
        raise Untranslatable(
            f"it joins the batch with other numbers into one axis (of {small[axis] // BATCHES[0]} per sample)"
        )
    return small[:axis] + small[axis + 1 :], axis, dtype


def problem_of(call: Call, why: str, kind: str) -> ProblemError:
    """The Problem that names module path, class or operation, and why."""
    path = call.module_path
    owner = type(call.root.get_submodule(path)).__name__ if path else type(call.root).__name__
    label = path or owner
    what = f"{owner} ({kind})" if call.node.op == "call_module" else f"`{kind}` in {owner}"
    return ProblemError(
        error(
            Where(label=label), f"{what} cannot become a layer: {why}",
            "Modules and operations that the catalogue has layers for",
            "Replace it by such a layer in the code, or keep it outside of the network", code="import.unknown",
        )
    )  # fmt: skip


def moved(wire: Wire, shape: tuple[int, ...], batch: int) -> Wire:
    """The same numbers seen in another order of axes, where the batch only has moved."""
    return replace(wire, shape=shape, batch=batch)
