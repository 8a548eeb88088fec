"""The network while it is made from a file: calls of torch with their values for two batches, modules with weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor, fx, nn

from engine.runtime.importing.call import Untranslatable
from engine.runtime.importing.onnx.file import Network, Operation
from engine.runtime.importing.onnx.scopes import Scopes, free_path, parent_of
from engine.runtime.importing.onnx.values import Atom, Axes, Known, View, view_of
from engine.runtime.importing.steps import Scope
from engine.runtime.importing.trace import BATCHES, CALL, SCOPE, on_meta

Value = Known | View
MOST_FOLDED = 2**26
"""So many numbers may come out of what is worked out beforehand."""


class Part(nn.Module):
    """A place for modules, as the file's names have it."""


@dataclass
class Build:
    """The calls so far, and the modules that they call."""

    network: Network
    scopes: Scopes
    uses: dict[str, int]
    """How many nodes take a value."""
    graph: fx.Graph = field(default_factory=fx.Graph)
    root: nn.Module = field(default_factory=Part)
    known: dict[str, Value | None] = field(default_factory=dict)
    """What each name of the file stands for; None behind something that is not understood."""
    operation: Operation | None = None
    copied: list[str] = field(default_factory=list)
    """Weights that the file uses in several places and that are apart here."""
    learned: dict[str, str] = field(default_factory=dict)
    """Path -> the file's name, of fixed tensors that become learned ones here."""
    batch: int | None = None
    """The number of samples that the file is written for, if it is for one only."""
    _seen: dict[Any, fx.Node] = field(default_factory=dict)
    _made: dict[Any, str] = field(default_factory=dict)
    _calls: Counter[str] = field(default_factory=Counter)

    @property
    def place(self) -> str:
        """Path of the module around the node that is looked at."""
        return self.scopes.owner(self.operation) if self.operation is not None else ""

    def entry(self, name: str, shape: tuple[int, ...], dtype: torch.dtype) -> View:
        """An input, the batch first."""
        node = self.graph.placeholder(_identifier(name))
        node.meta["values"] = [torch.zeros((batch, *shape), dtype=dtype, device="meta") for batch in BATCHES]
        return view_of(node)

    def call(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> fx.Node:
        """A call of a function of torch."""
        return self._valued(self.graph.call_function(target, args, kwargs), target)

    def give(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> View:
        """Its result as a value."""
        return view_of(self.call(target, *args, **kwargs))

    def _valued(self, node: fx.Node, run: Callable[..., Any]) -> fx.Node:
        found = []
        with torch.no_grad(), torch.device("meta"):
            for place in range(2):
                args: Any = fx.node.map_aggregate(node.args, partial(_at, place))
                kwargs: Any = fx.node.map_aggregate(node.kwargs, partial(_at, place))
                try:
                    found.append(run(*args, **kwargs))
                except (RuntimeError, ValueError, IndexError, TypeError) as fault:
                    self.refuse(f"torch refuses it: {(str(fault).splitlines() or ['no reason'])[0][:150]}")
        node.meta["values"] = found
        node.meta[SCOPE] = self.scopes.around(self.place)
        node.meta["operation"] = self.operation
        return node

    def module(self, module: nn.Module, path: str, *inputs: fx.Node, weights: dict[str, Any] | None = None) -> fx.Node:
        """A call of a module; `weights` by the names it has for them."""
        number = self._calls[path]
        self._calls[path] += 1
        if not number:
            self._put(path, module)
        else:
            module = self.root.get_submodule(path)
        node = self.graph.call_module(path, inputs)
        self._valued(node, on_meta(module))
        node.meta[CALL], node.meta[SCOPE] = number, self.scopes.around(parent_of(path))
        if weights:
            fill(module, weights)
        return node

    def _put(self, path: str, module: nn.Module) -> None:
        self.shelf(parent_of(path)).add_module(path.rpartition(".")[2], module)

    def shelf(self, path: str) -> nn.Module:
        """The container at a path, made where it is missing."""
        home = self.root
        for part in filter(None, path.split(".")):
            if part not in home._modules:
                home.add_module(part, Part())
            home = home._modules[part]  # type: ignore[assignment]
        return home

    def weighted(
        self, make: Callable[[], nn.Module], word: str, x: fx.Node, weights: dict[str, Any], *names: str,
        settings: Any = (),
    ) -> fx.Node:  # fmt: skip
        """A call of a module with weights, named by the file's names for them; a second use of them shares it."""
        tied = (word, settings, *names)
        wanted = self.scopes.path_of(self.operation, names, word)
        before = self._made.get(tied, "") if any(names) else ""
        # Exporters store equal numbers once: only the same place, or no place at all, means the same layer.
        if before and before == wanted:
            return self.module(make(), before, x)
        if before and not self.place:
            self.copied.append(names[0])
        path = self._made[tied] = free_path(self.root, wanted)
        with torch.device("meta"):
            module = make()
        return self.module(module, path, x, weights=weights)

    def stateless(self, module: nn.Module, word: str, *inputs: fx.Node) -> fx.Node:
        """A call of a module without weights."""
        return self.module(module, free_path(self.root, f"{self.place}.{word}".lstrip(".")), *inputs)

    def parameter(self, value: Known, word: str) -> fx.Node:
        """Numbers that a call takes beside its samples, as a learned tensor."""
        stated = self.scopes.parameter_of(self.operation, value.name)
        wanted = stated or f"{self.place}.{word}".lstrip(".")
        tied = ("parameter", wanted, value.name, value.small.shape)
        path = self._made.get(tied, "") if value.name else ""
        if not path:
            path = self._made[tied] = free_path(self.root, wanted)
            tensor = nn.Parameter(torch.from_numpy(np.array(value.small, dtype=np.float32)))
            self.shelf(parent_of(path)).register_parameter(path.rpartition(".")[2], tensor)
            if not stated:
                self.learned[path] = value.name or word
        node = self.graph.get_attr(path)
        empty = torch.empty(value.small.shape, device="meta")
        node.meta["values"], node.meta[SCOPE] = [empty, empty], self.scopes.around(self.place)
        return node

    def token(self, value: Known) -> View:
        """A learned tensor that is the same for each sample of the batch."""
        rows = value.small.shape[:1] + value.large.shape[:1]
        alone = rows == (1, 1) and value.fixed
        if not alone and (rows != BATCHES or any((part != part[:1]).any() for part in (value.small, value.large))):
            self.refuse("it takes fixed numbers that are not the same for each sample")
        row = value.small[:1]
        parameter = self.parameter(Known(row, row, value.name), "token")
        shapes = [(batch, *row.shape[1:]) for batch in BATCHES]
        sizes = tuple(self.size(pair) for pair in zip(*shapes, strict=True))
        found = self.graph.call_method("expand", (parameter, sizes))
        found.meta["values"] = [torch.empty(shape, device="meta") for shape in shapes]
        found.meta[SCOPE], found.meta["operation"] = self.scopes.around(self.place), self.operation
        return view_of(found)

    def size(self, pair: tuple[int, int]) -> Any:
        """A size as an argument of a call: a plain number, or one that grows with the batch."""
        if pair[0] == pair[1]:
            return pair[0]
        source = next(iter(self.graph.nodes))
        node = self.graph.call_function(_length, (source, 0))
        node.meta["values"] = list(pair)
        return node

    def node(self, view: View) -> fx.Node:
        """The call whose result a view is; made of reshapes and a permutation where it is another than its base."""
        key = (view.node, view.axes, view.factor)
        if key not in self._seen:
            found = view.node if view.plain else self._arranged(view)
            self._seen[key] = found if view.factor == 1 else self.call(torch.mul, found, view.factor)
        return self._seen[key]

    def _arranged(self, view: View) -> fx.Node:
        at = next((place for place, axis in enumerate(view.axes) if any(atom.grows for atom in axis)), -1)
        start = next((place for place, axis in enumerate(view.base) if any(atom.grows for atom in axis)), -1)
        if at < 0 or start < 0 or len(view.axes[at]) > 1 or len(view.base[start]) > 1:
            raise Untranslatable("it joins the batch with other numbers into one axis")
        base, axes = _batch_first(view.base, start), _batch_first(view.axes, at)
        node = self._permuted(view.node, [start, *(place for place in range(len(view.base)) if place != start)])
        wanted = [atom for axis in axes for atom in axis]
        blocks = _blocks(base, wanted)
        order = sorted(range(len(blocks)), key=lambda place: wanted.index(blocks[place][0]))
        if order == list(range(len(blocks))):
            node = self._shaped(node, base, axes)
        else:
            # Axes of one kind stay whole: they are cut only where the order changes between their factors.
            apart = tuple(tuple(block) for block in blocks)
            node = self._shaped(node, base, apart)
            node = self._permuted(node, order)
            node = self._shaped(node, tuple(apart[place] for place in order), axes)
        places = list(range(1, len(axes)))
        places.insert(at, 0)
        return self._permuted(node, places)

    def _permuted(self, node: fx.Node, order: list[int]) -> fx.Node:
        return node if order == sorted(order) else self.call(torch.permute, node, tuple(order))

    def _shaped(self, node: fx.Node, before: Axes, after: Axes) -> fx.Node:
        if before == after:
            return node
        for place, axis in enumerate(after):
            if not axis and after[:place] + after[place + 1 :] == before:
                return self.call(torch.unsqueeze, node, place)
        for place, axis in enumerate(before):
            if not axis and before[:place] + before[place + 1 :] == after:
                return self.call(torch.squeeze, node, place)
        shape = View(node, before, after).shape
        return self.call(torch.reshape, node, tuple(self.size(pair) for pair in shape))

    def lifted(self, view: View, act: Callable[[fx.Node], fx.Node]) -> View:
        """What `act` gives, which treats all axes but the last alike, and keeps them."""
        opened = view.opened()
        found = view_of(act(self.node(opened)))
        if not view.joined:
            return found
        base = (*(axis for axis in opened.axes[:-1]), found.base[-1])
        return View(found.node, base, (*view.axes[:-1], found.base[-1]), source=found.source)

    def each(self, view: View, act: Callable[[fx.Node], fx.Node]) -> View:
        """What `act` gives, which treats every number alike: where the batch is joined with other axes, it stays so."""
        opened = view.opened()
        found = view_of(act(self.node(opened)))
        return View(found.node, opened.axes, view.axes) if view.joined else found

    def refuse(self, why: str) -> NoReturn:
        """Gives up this node."""
        raise Untranslatable(why)


def scaled(view: View, factor: float) -> View:
    """The view times a number; the product is made only where it is needed."""
    return replace(view, factor=view.factor * factor)


def fill(module: nn.Module, weights: dict[str, Any]) -> None:
    """Puts numbers into a module that has none yet."""
    state = {key: torch.from_numpy(np.array(value)) for key, value in weights.items()}
    for key, value in module.state_dict().items():
        state.setdefault(key, torch.zeros(value.shape, dtype=value.dtype))
    module.load_state_dict(state, strict=True, assign=True)


def _batch_first(axes: Axes, at: int) -> Axes:
    return (axes[at], *axes[:at], *axes[at + 1 :])


def _blocks(base: Axes, wanted: list[Atom]) -> list[list[Atom]]:
    """Factors of one axis that stay neighbours in their order stay together."""
    found: list[list[Atom]] = []
    rank = {atom: place for place, atom in enumerate(wanted)}
    for axis in base:
        for place, atom in enumerate(axis):
            if place and rank[atom] == rank[axis[place - 1]] + 1:
                found[-1].append(atom)
            else:
                found.append([atom])
    return found


def _at(place: int, item: Any) -> Any:
    if not isinstance(item, fx.Node):
        return item
    value = item.meta["values"][place]
    return value


def _length(x: Tensor, axis: int) -> int:
    return x.shape[axis]


def _identifier(text: str) -> str:
    plain = "".join(letter if letter.isalnum() or letter == "_" else "_" for letter in text)
    return plain if plain and not plain[0].isdigit() else f"input_{plain}"


def ints(values: Iterable[Any]) -> tuple[int, ...]:
    """Plain numbers of Python."""
    return tuple(int(value) for value in values)


__all__ = ["Build", "Scope", "Value", "fill", "ints", "scaled"]
