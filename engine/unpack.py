"""Taking blocks apart, and giving a block an inside of its own.

Ungrouping a repeated block writes its copies out in a chain, as training would; values that vary between copies
become settings of their layers.
"""

from __future__ import annotations

from dataclasses import replace

from engine.graph import GROUP_INPUT, GROUP_OUTPUT, Edge, Graph, Node
from engine.levels import drop_unused, level_of, node_of, reached, users
from engine.names import free_name, new_id
from engine.problem import ProblemError, Where, error

MAX_NODES = 200
"""No more layers than this are put on the canvas by one ungrouping."""
_GAP = 64.0
End = tuple[str, str]
"""(node, output port)."""


def ungroup(graph: Graph, definition: str, node_id: str) -> tuple[Graph, list[str]]:
    """Replaces a block by its layers, every copy of a repeat; returns the graph and the ids of the layers."""
    level, box = level_of(graph, definition), node_of(graph, definition, node_id)
    inside = graph.definitions.get(box.definition)
    where = Where(label=box.name, node=node_id, definition=definition)
    if not box.is_group or inside is None:
        raise ProblemError(error(where, f"{box.name} is not a block", "A block", "Select a block", code="ungroup"))
    layers = [node for node in inside.nodes.values() if node.type not in (GROUP_INPUT, GROUP_OUTPUT)]
    if len(layers) * box.repeat > MAX_NODES:
        happened = f"{box.repeat} copies of {len(layers)} layers would put {len(layers) * box.repeat:,} on the canvas"
        raise ProblemError(
            error(where, happened, f"At most {MAX_NODES} layers", "Lower the repeat count first", code="ungroup")
        )
    keep = len(list(users(graph, box.definition))) == 1
    taken = [node.name for node in level.nodes.values() if node.id != node_id]
    copies = [_copy(layers, box, number, taken, keep=keep and number == 0) for number in range(box.repeat)]
    edges = _spliced(level, inside, box, copies)
    placed: dict[str, Node] = {}
    for key, node in level.nodes.items():
        if key == node_id:
            placed.update({made.id: made for copy in copies for made in copy.values()})
        else:
            placed[key] = node
    graph = graph.with_level(definition, replace(level, nodes=placed, edges=edges))
    return drop_unused(graph), [made.id for copy in copies for made in copy.values()]


def unlink(graph: Graph, definition: str, node_id: str) -> Graph:
    """Gives a block that shares its inside with others one of its own; unchanged when it shares with none."""
    box = node_of(graph, definition, node_id)
    if len(list(users(graph, box.definition))) < 2:
        return graph
    graph, fresh = copy_definition(graph, box.definition)
    level = level_of(graph, definition)
    return graph.with_level(definition, replace(level, nodes={**level.nodes, node_id: replace(box, definition=fresh)}))


def copy_definition(graph: Graph, definition: str) -> tuple[Graph, str]:
    """With a copy of a definition and of all inside it; returns the graph and the id of the copy."""
    ids = {key: new_id() for key in (definition, *reached(graph, graph.definitions[definition]))}
    made = {ids[key]: relinked(graph.definitions[key], ids) for key in ids}
    return replace(graph, definitions={**graph.definitions, **made}), ids[definition]


def relinked(level: Graph, ids: dict[str, str]) -> Graph:
    """A level whose groups use other definitions, by old id."""
    nodes = {
        key: replace(node, definition=ids[node.definition]) if node.definition in ids else node
        for key, node in level.nodes.items()
    }
    return replace(level, nodes=nodes)


def _copy(layers: list[Node], box: Node, number: int, taken: list[str], *, keep: bool) -> dict[str, Node]:
    """One copy of the layers by their old id, with fresh names and ids, placed about the block's middle."""
    xs, ys = [node.x for node in layers] or [0.0], [node.y for node in layers] or [0.0]
    width = max(xs) - min(xs) + 200.0 + _GAP
    dx = box.x - (min(xs) + max(xs)) / 2 + width * (number - (box.repeat - 1) / 2)
    dy = box.y - (min(ys) + max(ys)) / 2
    ids = {node.id: node.id if keep else new_id() for node in layers}
    made: dict[str, Node] = {}
    for node in layers:
        name = free_name(taken, node.name)
        taken.append(name)
        varied = {
            path.partition(".")[2]: values[number]
            for path, values in box.vary.items()
            if path.partition(".")[0] == node.name and number < len(values)
        }
        if node.is_group:
            inner = {path: (value,) * node.repeat for path, value in varied.items()}
            made[node.id] = replace(node, vary={**node.vary, **inner})
        else:
            made[node.id] = replace(node, params={**node.params, **varied})
        made[node.id] = replace(
            made[node.id],
            id=ids[node.id],
            name=name,
            x=node.x + dx,
            y=node.y + dy,
            shares=ids.get(node.shares, ""),
        )
    return made


def _spliced(level: Graph, inside: Graph, box: Node, copies: list[dict[str, Node]]) -> tuple[Edge, ...]:
    """The wires of the level with the block's copies in a chain in its place."""
    entries, exits = inside.of_type(GROUP_INPUT), inside.of_type(GROUP_OUTPUT)
    fed = {edge.input: (edge.source, edge.output) for edge in level.edges if edge.target == box.id}
    ends: list[End | None] = [fed.get(port.name) for port in entries]
    edges = [edge for edge in level.edges if box.id not in (edge.source, edge.target)]
    for copy in copies:
        arriving = {port.id: end for port, end in zip(entries, ends, strict=False)}

        def source(edge: Edge, copy: dict[str, Node] = copy, arriving: dict[str, End | None] = arriving) -> End | None:
            return arriving[edge.source] if edge.source in arriving else (copy[edge.source].id, edge.output)

        leaving: dict[str, End | None] = {}
        for edge in inside.edges:
            end = source(edge)
            if edge.target not in copy:
                leaving[edge.target] = end
            elif end is not None:
                edges.append(Edge(*end, copy[edge.target].id, edge.input, edge.slot))
        ends = [leaving.get(port.id) for port in exits]
    last = {port.name: end for port, end in zip(exits, ends, strict=True)}
    for edge in level.edges:
        end = last.get(edge.output) if edge.source == box.id else None
        if end is not None:
            edges.append(replace(edge, source=end[0], output=end[1]))
    return tuple(edges)
