"""Rules of single layers: names, types, settings, shared weights."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import Any

from engine import fixing
from engine.check_graph import where
from engine.declare import Declaration, find
from engine.defaults import DEFAULTS
from engine.graph import GROUP_INPUT, GROUP_OUTPUT, INPUT, OUTPUT, Graph, Node
from engine.names import free_name, name_fault
from engine.problem import Fix, Problem, Where, error
from engine.values import Fault, examine_all


def check_layers(graph: Graph, definition: str) -> Iterator[Problem]:
    """The nodes of one level, each by itself."""
    level = graph.level(definition)
    names = [node.name for node in level.nodes.values()]
    seen: set[str] = set()
    for node in level.nodes.values():
        yield from _name(definition, node, names, seen)
        yield from _place(definition, node)
        yield from _shared(level, definition, node)
        declaration = DEFAULTS if node.is_group else find("layer", node.type)
        if declaration is not None:
            for fault in examine_all(declaration, node.params)[1]:
                yield _setting(definition, node, declaration, fault)


def nearest(declaration: Declaration, name: str, value: Any) -> Any:
    """The allowed value closest to a number out of bounds; None where there is no such thing."""
    param = declaration.by_name.get(name)
    if param is None or param.kind not in ("int", "float") or isinstance(value, bool):
        return None
    # A whole number may be beyond all floats, where isnan fails.
    if not isinstance(value, (int, float)) or (isinstance(value, float) and isnan(value)):
        return None
    low = param.min if param.min is not None else value
    high = param.max if param.max is not None else value
    found = min(max(value, low), high)
    try:
        return round(found) if param.kind == "int" else float(found)
    except OverflowError:  # no bound on that side, and further than numbers reach
        return None


def _name(definition: str, node: Node, names: list[str], seen: set[str]) -> Iterator[Problem]:
    port = node.type == GROUP_INPUT
    fault = name_fault(node.name, port=port)
    if node.name in seen:
        fault = f"Another layer here is already called {node.name!r}."
    seen.add(node.name)
    if fault:
        fresh = free_name(names, node.name, port=port)
        fix = Fix(f"Call it {fresh}", apply=fixing.rename(definition, node.id, fresh))
        yield error(where(node, definition), fault.rstrip("."), "A Python name or number that is free here", fix.title,
                    code="name", fixes=(fix,))  # fmt: skip


def _place(definition: str, node: Node) -> Iterator[Problem]:
    fix = Fix("Remove it", apply=fixing.remove(definition, [node.id], bridge=True))
    if node.type in (GROUP_INPUT, GROUP_OUTPUT):
        if not definition:
            words = "A port of a block stands outside of every block"
            yield error(
                where(node, definition), words, "Ports inside blocks only", fix.title, code="node.place", fixes=(fix,)
            )
    elif node.type in (INPUT, OUTPUT):
        if definition:
            words = f"An {node.type.capitalize()} stands inside a block"
            expected = "Inputs and Outputs on the outermost level only"
            yield error(where(node, definition), words, expected, fix.title, code="node.place", fixes=(fix,))
    elif not node.is_group and find("layer", node.type) is None:
        words = f"Layers of type {node.type!r} are not known here; this one is kept as it is"
        yield error(
            where(node, definition), words, "A layer of this program", "Remove it, or open it where it is known",
            code="layer.unknown", fixes=(fix,),
        )  # fmt: skip


def _shared(level: Graph, definition: str, node: Node) -> Iterator[Problem]:
    if not node.shares:
        return
    owner = level.nodes.get(node.shares)
    words = ""
    if owner is None:
        words = "The layer whose weights it shares does not exist on this level"
    elif owner.type != node.type or owner.definition != node.definition:
        words = f"It shares the weights of {owner.name}, which is another kind of layer"
    elif owner.id == node.id or owner.shares:
        words = "It shares weights with itself" if owner.id == node.id else f"{owner.name} itself shares weights"
    if words:
        fix = Fix("Give it weights of its own", apply=fixing.change(definition, node.id, shares=""))
        yield error(where(node, definition), words, "A layer of the same kind with weights of its own", fix.title,
                    code="node.shares", fixes=(fix,))  # fmt: skip


def _setting(definition: str, node: Node, declaration: Declaration, fault: Fault) -> Problem:
    name = fault.path.partition(".")[0]
    param = declaration.by_name.get(name)
    fixes: list[Fix] = []
    close = nearest(declaration, name, node.params.get(name))
    if close is not None:
        fixes.append(Fix(f"Use {close:,}", apply=fixing.set_params(definition, node.id, {name: close})))
    default = "Remove the setting" if param is None else f"Use the default, {_shown(param.default)}"
    fixes.append(Fix(default, apply=fixing.drop_param(definition, node.id, _key(node, name))))
    place = Where(label=node.name, node=node.id, definition=definition, path=f"nodes.{node.name}.{fault.path}")
    title = param.title if param else "Settings"
    return error(
        place,
        f"{title}: {fault.words}",
        param.domain if param else "",
        fixes[0].title,
        code="param",
        fixes=tuple(fixes),
    )


def _key(node: Node, name: str) -> str:
    """The key under which a setting is stored, which may be one of its former names."""
    return name if name in node.params else next((key for key in node.params if key.startswith(name)), name)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "empty"
    return str(value["type"]) if isinstance(value, dict) else str(value)
