"""Rules of structure: inputs and outputs, circles, missing and surplus wires, branches that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from engine import fixing
from engine.declare import find
from engine.graph import (
    GROUP_INPUT,
    GROUP_OUTPUT,
    INPUT,
    OUTPUT,
    Edge,
    Graph,
    Node,
    cycle,
    input_ports,
    output_ports,
)  # fmt: skip
from engine.problem import Fix, Problem, Where, error, warning
from engine.wires import downstream

_BESIDE = 240.0
_MANY = 50
Loose = tuple[Node, str]
"""A node and one of its outputs that nothing uses."""


def check_ends(graph: Graph) -> Iterator[Problem]:
    """The network needs somewhere to begin and somewhere to end."""
    if not graph.of_type(INPUT):
        fixes = tuple(_add_input(graph))
        words = "Samples cannot enter the network"
        yield error("network", words, "At least one Input", "Add an Input and wire it", code="graph.input", fixes=fixes)
    if not graph.of_type(OUTPUT):
        fixes = tuple(_add_output(graph))
        words = "The network gives no answer"
        yield error(
            "network", words, "At least one Output", "Add an Output and wire it", code="graph.output", fixes=fixes
        )


def check_level(graph: Graph, definition: str) -> Iterator[Problem]:
    """The wires of one level."""
    level = graph.level(definition)
    ring = cycle(level)
    if ring:
        names = " → ".join(level.nodes[key].name for key in ring)
        closing = tuple(edge for edge in level.edges if (edge.source, edge.target) == (ring[-2], ring[-1]))
        fix = Fix("Take the last of these wires away", names, apply=fixing.disconnect(definition, *closing))
        yield error(
            where(level.nodes[ring[-1]], definition), f"Data would go round in a circle: {names}",
            "Wires that lead from the inputs to the outputs", "Remove one of these wires",
            code="graph.cycle", fixes=(fix,),
        )  # fmt: skip
    arriving: dict[str, list[Edge]] = {}
    for edge in level.edges:
        arriving.setdefault(edge.target, []).append(edge)
    loose = _loose_ends(graph, definition)
    # Where an Input is missing and would go: one fault, told once, by `check_ends`.
    told = _entry(graph) if not definition and not graph.of_type(INPUT) else None
    for node in level.nodes.values():
        yield from _ports(graph, definition, node, arriving.get(node.id, []), loose, told)
    if not ring:
        yield from _dead(level, definition)


def where(node: Node, definition: str, port: str = "") -> Where:
    """The place of a node."""
    return Where(label=node.name, node=node.id, definition=definition, port=port)


def _ports(
    graph: Graph,
    definition: str,
    node: Node,
    arriving: list[Edge],
    loose: list[Loose] | None,
    told: Loose | None,
) -> Iterator[Problem]:
    ports = {port.name: port for port in input_ports(graph, node)}
    level = graph.level(definition)
    if node.is_group or find("layer", node.type) or node.type in (GROUP_INPUT, GROUP_OUTPUT):
        for edge in arriving:
            if edge.input not in ports:
                fix = Fix("Remove the wire", apply=fixing.disconnect(definition, edge))
                words = f"A wire ends at an input {edge.input!r} that {node.name} does not have"
                expected = f"One of {', '.join(ports)}" if ports else "No wire"
                yield error(
                    where(node, definition, edge.input), words, expected, fix.title, code="wire.port", fixes=(fix,)
                )
    for edge in arriving:
        source = level.nodes[edge.source]
        known = source.is_group or find("layer", source.type) or source.type in (GROUP_INPUT, GROUP_OUTPUT)
        if known and all(port.name != edge.output for port in output_ports(graph, source)):
            fix = Fix("Remove the wire", apply=fixing.disconnect(definition, edge))
            words = f"A wire starts at an output {edge.output!r} that {source.name} does not have"
            yield error(where(node, definition, edge.input), words, "", fix.title, code="wire.port", fixes=(fix,))
    for name, port in ports.items():
        wires = [edge for edge in arriving if edge.input == name]
        if not wires and told == (node, name):
            continue
        if not wires:
            yield _missing(graph, definition, node, name, loose, alone=len(ports) == 1)
        elif len(wires) > 1 and not port.variadic:
            fix = Fix("Keep the first wire only", apply=fixing.disconnect(definition, *wires[1:]))
            words = f"{len(wires)} wires end at {name}, which takes one"
            expected = "One wire; Add or Concatenate joins several"
            yield error(where(node, definition, name), words, expected, fix.title, code="wire.many", fixes=(fix,))


def _missing(
    graph: Graph, definition: str, node: Node, port: str, loose: list[Loose] | None, *, alone: bool
) -> Problem:
    after = downstream(graph.level(definition), node.id) - {node.id} if loose else set()
    # One loose end is what was meant; several are a guess, of which the nearest to the left is the likeliest.
    free = [item for item in loose or () if item[0].id not in after and item[0].id != node.id]
    free = [item for item in free if item[0].x < node.x] or free
    free.sort(key=lambda item: (item[0].x - node.x) ** 2 + (item[0].y - node.y) ** 2)
    fixes = tuple(
        Fix(f"Wire it to {other.name}", apply=fixing.connect(definition, other.id, output, node.id, port))
        for other, output in free[:2]
    )
    words = "Nothing arrives here" if alone else f"Nothing arrives at {port}"
    if after:
        words += f", nor at the {len(after)} layers after it" if len(after) > 1 else ", nor at the layer after it"
    return error(
        where(node, definition, port), words, "A wire from the layer before", "Wire an output to it",
        code="wire.missing", fixes=fixes,
    )  # fmt: skip


def _loose_ends(graph: Graph, definition: str) -> list[Loose] | None:
    """First outputs that nothing uses; None when there are so many that any guess would be wrong."""
    level = graph.level(definition)
    used = {(edge.source, edge.output) for edge in level.edges}
    found = [
        (node, port.name)
        for node in level.nodes.values()
        for port in output_ports(graph, node)[:1]
        if (node.id, port.name) not in used
    ]
    return found if len(found) <= _MANY else None


def _dead(level: Graph, definition: str) -> Iterator[Problem]:
    """Ends of branches from which nothing reaches an output; one warning per end, naming what is useless with it."""
    ends = [node.id for node in level.of_type(GROUP_OUTPUT if definition else OUTPUT)]
    if not ends:
        return
    feeds: dict[str, set[str]] = {}
    fed: dict[str, set[str]] = {}
    for edge in level.edges:
        feeds.setdefault(edge.target, set()).add(edge.source)
        fed.setdefault(edge.source, set()).add(edge.target)
    alive: set[str] = set(ends)
    waiting = list(ends)
    while waiting:
        fresh = feeds.get(waiting.pop(), set()) - alive
        alive |= fresh
        waiting += fresh
    for key, node in level.nodes.items():
        if key in alive or fed.get(key):
            continue
        branch, waiting = {key: None}, [key]
        while waiting:
            for source in sorted(feeds.get(waiting.pop(), set()) - alive - branch.keys()):
                if fed[source] <= branch.keys():
                    branch[source] = None
                    waiting.append(source)
        many = f" ({len(branch)} layers)" if len(branch) > 1 else ""
        fix = Fix(f"Remove it{many}", apply=fixing.remove(definition, list(branch)))
        words = f"What comes out here reaches no output{many}: it is neither used nor trained"
        yield warning(where(node, definition), words, "A way to an output", "Wire it on, or remove it",
                      code="graph.dead", fixes=(fix,))  # fmt: skip


def _add_input(graph: Graph) -> Iterator[Fix]:
    entry = _entry(graph)
    if entry is not None:
        node, port = entry
        apply = fixing.add_beside(INPUT, node.id, port=port, dx=-_BESIDE)
        yield Fix(f"Add an Input before {node.name}", apply=apply)


def _entry(graph: Graph) -> tuple[Node, str] | None:
    """Where samples would enter: the leftmost layer to which nothing comes, and its port."""
    fed = {(edge.target, edge.input) for edge in graph.edges}
    for node in sorted(graph.nodes.values(), key=lambda node: node.x):
        for port in input_ports(graph, node):
            if (node.id, port.name) not in fed:
                return node, port.name
    return None


def _add_output(graph: Graph) -> Iterator[Fix]:
    used = {edge.source for edge in graph.edges}
    for node in sorted(graph.nodes.values(), key=lambda node: -node.x):
        ports = output_ports(graph, node)
        if ports and node.id not in used:
            apply = fixing.add_beside(OUTPUT, node.id, output=ports[0].name, dx=_BESIDE)
            yield Fix(f"Add an Output after {node.name}", apply=apply)
            return
