"""Which classes the generated file needs: one per distinct block, with arguments for what differs between copies.

Owns `BlockClass` and the comparison of levels: two copies are of one class when their code is the same up to plain
values; values that differ become constructor arguments, values that always agree with each other become one argument.
Never writes text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.declare import Declaration
from engine.expr import Expr
from engine.graph import Graph
from engine.source_arguments import Argument, arguments_of, columns_of, replaced, shape_of
from engine.source_calls import forward_of, wraps_in_place
from engine.source_facts import CallFacts, LevelFacts
from engine.source_names import class_name, fresh
from engine.source_parts import ArgNames, Call, Copies, Part, Value, part_of

SEQUENTIAL = "nn.Sequential"


@dataclass(frozen=True)
class BlockClass:
    """One class of the file: a level it is written from, its arguments, and every level it stands for."""

    name: str
    definition: str
    level: LevelFacts
    members: tuple[LevelFacts, ...]
    arguments: tuple[Argument, ...] = ()
    modules: tuple[tuple[CallFacts, Part], ...] = ()
    """Calls that make a module, in order, with what makes it; varying values are already names of arguments."""


@dataclass
class Blocks:
    """All classes, inner ones first, and what makes each level (its class with the values of this copy)."""

    classes: list[BlockClass] = field(default_factory=list)
    makers: dict[int, Part] = field(default_factory=dict)
    """By `id` of the level."""


def find_blocks(graph: Graph, root: LevelFacts, title: str, arg_names: ArgNames, taken: set[str]) -> Blocks:
    """The classes of a network whose shapes are all known; `taken` are names the file already uses."""
    return _Finder(graph, arg_names, taken).find(root, title)


def is_chain(level: LevelFacts) -> bool:
    """True when the modules are named 0, 1, 2 ... and each feeds the next: then `nn.Sequential` has the same keys."""
    if len(level.inputs) != 1 or len(level.outputs) != 1:
        return False
    calls = [call for call in level.calls if call.step.live]
    inner = [call for call in calls if call.step.outputs and call.step.sources]
    if not inner or len(calls) != len(inner) + 2:
        return False
    names = [call.node.name for call in inner]
    follows = [(calls[place].node.id, 0) for place in range(len(calls) - 1)]
    return (
        names == [str(place) for place in range(len(inner))]
        and all(call.step.sources == ((before,),) for call, before in zip(calls[1:], follows, strict=True))
        and all(_is_plain(call) for call in inner)
    )


def numbered(level: LevelFacts) -> bool:
    """True for a nested level that is written as `nn.Sequential(...)` in place, without a class."""
    return bool(level.definition) and is_chain(level)


def live_modules(level: LevelFacts) -> Iterator[CallFacts]:
    """The calls that make a module and that an output needs, in order of computation."""
    return (call for call in level.calls if call.step.live and call.has_module)


class _Finder:
    def __init__(self, graph: Graph, arg_names: ArgNames, taken: set[str]) -> None:
        self.graph = graph
        self.taken = taken
        self.blocks = Blocks()
        self.arguments: dict[str, tuple[str, ...]] = {}
        self.torch_names = arg_names

    def find(self, root: LevelFacts, title: str) -> Blocks:
        by_definition: dict[str, dict[int, LevelFacts]] = {}
        _collect(root, by_definition, set())
        main = class_name(title, "Model")
        self.taken.add(main)
        for definition, levels in by_definition.items():
            self._classes_of(definition, list(levels.values()), main)
        return self.blocks

    def arg_names(self, callee: str) -> Sequence[str]:
        return self.arguments.get(callee) or self.torch_names(callee)

    def _classes_of(self, definition: str, levels: list[LevelFacts], main: str) -> None:
        groups: dict[Any, list[LevelFacts]] = {}
        modules = {id(level): self._modules(level) for level in levels}
        for level in levels:
            if numbered(level):
                items = tuple(("", part) for _, part in modules[id(level)])
                self.blocks.makers[id(level)] = Call(SEQUENTIAL, items)
                continue
            key = self._skeleton(level, modules[id(level)]) if len(levels) > 1 else ()
            groups.setdefault(key, []).append(level)
        for members in groups.values():
            self._class(definition, members, modules, main)

    def _class(self, definition: str, members: list[LevelFacts], modules: Mapping[int, Any], main: str) -> None:
        if definition:
            name = fresh(class_name(self.graph.definitions[definition].title, "Block"), self.taken)
            self.taken.add(name)
        else:
            name = main
        first = modules[id(members[0])]
        columns = columns_of([modules[id(level)] for level in members]) if len(members) > 1 else {}
        arguments = arguments_of(columns)
        self.arguments[name] = tuple(argument.name for argument in arguments.values())
        names = {place: argument.name for places, argument in arguments.items() for place in places}
        count = iter(range(1_000_000_000))
        written = tuple((call, replaced(part, names, count)) for call, part in first) if names else first
        self.blocks.classes.append(
            BlockClass(name, definition, members[0], tuple(members), tuple(arguments.values()), written)
        )
        for index, level in enumerate(members):
            items = tuple(
                ("", Value(columns[places[0]][index].text, columns[places[0]][index].value, argument.name))
                for places, argument in arguments.items()
            )
            self.blocks.makers[id(level)] = Call(name, items)

    def _modules(self, level: LevelFacts) -> tuple[tuple[CallFacts, Part], ...]:
        return tuple((call, self._part(call)) for call in live_modules(level))

    def _part(self, call: CallFacts) -> Part:
        if call.copies:
            parts = [self.blocks.makers[id(copy)] for copy in call.copies]
            if len(parts) == 1:
                return parts[0]
            single = len(call.step.ports) == 1 and len(call.step.outputs) == 1
            return Copies(SEQUENTIAL if single else "nn.ModuleList", tuple(parts))
        assert call.layer is not None
        made = call.layer.constructor if wraps_in_place(call) else call.layer.plain
        return part_of(made, self.arg_names)

    def _skeleton(self, level: LevelFacts, modules: tuple[tuple[CallFacts, Part], ...]) -> Any:
        made = tuple((call.node.id, shape_of(part)) for call, part in modules)
        return made, tuple(_written(call) for call in level.calls if call.step.live)


def _collect(level: LevelFacts, found: dict[str, dict[int, LevelFacts]], seen: set[int]) -> None:
    """Levels by definition so that a definition comes after those inside it."""
    if id(level) in seen:
        return
    seen.add(id(level))
    for call in level.calls:
        if call.step.live:
            for copy in call.copies:
                _collect(copy, found, seen)
    found.setdefault(level.definition, {})[id(level)] = level


def _is_plain(call: CallFacts) -> bool:
    if len(call.step.outputs) != 1 or not call.step.builds or call.step.owner is not call.node:
        return False
    return bool(call.copies) or (
        call.layer is not None and call.layer.constructor is not None
        and not hasattr(call.layer.declaration.cls, "forward")
    )  # fmt: skip


def _written(call: CallFacts) -> Any:
    """What a copy's forward and initialisation say beside constructors; must agree within a class."""
    layer = call.layer
    if layer is None:
        return call.node.id, len(call.copies)
    drawn = [(type(one).__name__, vars(one)) for one in (call.initializer, call.bias_initializer) if one is not None]
    wrap = (type(layer.reparametrization).__name__, vars(layer.reparametrization)) if layer.plain is not None else ()
    return call.node.id, _forward_text(layer.declaration, layer.declared, call), repr(drawn), layer.tensors, repr(wrap)


def _forward_text(declaration: Declaration, declared: Any, call: CallFacts) -> str:
    if not hasattr(declaration.cls, "forward"):
        return ""
    module = Expr("module") if call.layer and call.layer.constructor is not None else None
    count = sum(len(port) for port in call.step.sources)
    found = forward_of(declaration, declared, module, [Expr(f"in_{place}") for place in range(count)])
    return "; ".join(item.text for item in found) if isinstance(found, tuple) else str(found.text)
