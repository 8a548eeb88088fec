"""Rules of blocks: what is inside, repeats, values that vary, size of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engine import fixing
from engine.check_graph import where
from engine.declare import find
from engine.defaults import DEFAULTS
from engine.graph import GROUP_INPUT, GROUP_OUTPUT, MAX_DEPTH, MAX_LAYERS, MAX_REPEAT, Graph, Node
from engine.instances import depth, expanded_count
from engine.levels import contains, reached
from engine.problem import Fix, Problem, error, warning
from engine.values import checked


def check_groups(graph: Graph) -> Iterator[Problem]:
    """Every block of every level, then the network as a whole."""
    for definition, level in graph.levels():
        for node in level.nodes.values():
            if node.is_group:
                yield from _group(graph, definition, node)
    if depth(graph) > MAX_DEPTH:
        words = f"Blocks stand more than {MAX_DEPTH} deep inside each other"
        yield error("network", words, f"At most {MAX_DEPTH}", "Ungroup some of them", code="group.depth")
    layers = expanded_count(graph)
    if layers > MAX_LAYERS:
        shown = f"{layers:,}" if layers < 10**12 else f"about 10^{len(str(layers)) - 1}"
        words = f"With all repeats written out the network has {shown} layers"
        yield error("network", words, f"At most {MAX_LAYERS:,}", "Repeat less often", code="graph.size")


def _group(graph: Graph, definition: str, node: Node) -> Iterator[Problem]:
    inside = graph.definitions.get(node.definition)
    remove = Fix("Remove the block", apply=fixing.remove(definition, [node.id], bridge=True))
    if inside is None:
        yield error(where(node, definition), "The inside of this block is missing", "A block with layers", remove.title,
                    code="group.missing", fixes=(remove,))  # fmt: skip
        return
    if definition and contains(graph, node.definition, definition):
        yield error(where(node, definition), "This block contains itself", "A block of other layers", remove.title,
                    code="group.recursion", fixes=(remove,))  # fmt: skip
        return
    once = Fix("Do not repeat it", apply=fixing.set_repeat(definition, node.id, 1))
    if not 1 <= node.repeat <= MAX_REPEAT:
        expected = f"A whole number from 1 to {MAX_REPEAT:,}"
        yield error(where(node, definition), f"It is repeated {node.repeat:,} times", expected, once.title,
                    code="group.repeat", fixes=(once,))  # fmt: skip
        return
    entries, exits = len(inside.of_type(GROUP_INPUT)), len(inside.of_type(GROUP_OUTPUT))
    if not exits:
        yield error(where(node, definition), "Nothing comes out of this block", "At least one output port inside",
                    "Add an output port inside and wire it", code="group.empty")  # fmt: skip
    elif node.repeat > 1 and entries != exits:
        words = f"Each copy feeds the next, but it takes {entries} and gives {exits}"
        yield error(where(node, definition), words, "As many outputs as inputs", "Add or remove ports inside",
                    code="group.ports", fixes=(once,))  # fmt: skip
    yield from _vary(graph, definition, node)
    yield from _idle(graph, definition, node, inside)


def _idle(graph: Graph, definition: str, node: Node, inside: Graph) -> Iterator[Problem]:
    """What a block says for layers of which it holds none, such as max-norm where nothing has weights."""
    stated = [DEFAULTS.by_name[key] for key, value in node.params.items() if key in DEFAULTS.by_name and value]
    if not stated:
        return
    levels = [inside, *(graph.definitions[key] for key in reached(graph, inside))]
    declared = [find("layer", item.type) for level in levels for item in level.nodes.values()]
    taken = {name for item in declared if item is not None for name in item.by_name}
    for param in stated:
        if param.name not in taken:
            fix = Fix("Remove the setting", apply=fixing.drop_param(definition, node.id, param.name))
            words = f"{param.title} has no effect: no layer in this block has such a setting"
            place = replace(where(node, definition), path=f"nodes.{node.name}.{param.name}")
            yield warning(place, words, "A block with a layer that it is about", fix.title, code="param.idle",
                        fixes=(fix,))  # fmt: skip


def _vary(graph: Graph, definition: str, node: Node) -> Iterator[Problem]:
    for path, values in node.vary.items():
        fault = _vary_fault(graph, node, path, values)
        if fault:
            kept = {key: item for key, item in node.vary.items() if key != path}
            fix = Fix("Use the same value in all copies", apply=fixing.change(definition, node.id, vary=kept))
            yield error(where(node, definition), f"{path} varies between copies, but {fault}",
                        "One allowed value per copy", fix.title, code="group.vary", fixes=(fix,))  # fmt: skip


def _vary_fault(graph: Graph, node: Node, path: str, values: tuple[object, ...]) -> str:
    if len(values) != node.repeat:
        return f"there are {len(values)} values for {node.repeat} copies"
    parts = path.split(".")
    level = graph.definitions.get(node.definition)
    for name in parts[:-2]:
        inner = level.by_name(name) if level else None
        level = graph.definitions.get(inner.definition) if inner and inner.is_group else None
    layer = level.by_name(parts[-2]) if level and len(parts) > 1 else None
    declaration = find("layer", layer.type) if layer else None
    param = declaration.by_name.get(parts[-1]) if declaration else None
    if param is None:
        return "there is no such layer or setting inside"
    for value in values:
        try:
            checked(param, value)
        except ValueError as fault:
            return str(fault)
    return ""
