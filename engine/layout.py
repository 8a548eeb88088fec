"""Tidy places for the nodes of a level: data flows left to right, in layers.

Longest-path ranks, then barycentre ordering with stand-ins for wires that skip ranks, so that a skip connection has
a lane of its own (Sugiyama, Tagawa and Toda 1981). Deterministic. Knows no Qt: sizes are given or estimated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from graphlib import CycleError

from engine.declare import find
from engine.graph import GROUP_INPUT, GROUP_OUTPUT, INPUT, OUTPUT, Graph, Node, order
from engine.levels import level_of

GAP_X = 64.0
"""Between columns: room for the shape on a wire."""
GAP_Y = 32.0
_LANE = 12.0
"""Height that a passing wire takes in a column."""
_SWEEPS = 6
Size = tuple[float, float]


def node_size(graph: Graph, node: Node) -> Size:
    """(width, height) of a node's box in pixels, from its two lines; the canvas gives its own sizes instead.

    A block is as wide as the list of its layers, with a row for each.
    """
    level = graph.definitions.get(node.definition) if node.is_group else None
    if level is not None:
        num_rows = sum(1 for item in level.nodes.values() if item.type not in (GROUP_INPUT, GROUP_OUTPUT))
        return (208.0, 40.0 + 28.0 * num_rows)
    declaration = find("layer", node.type)
    detail = (declaration.detail(node.params) or declaration.title) if declaration is not None else ""
    return (min(216.0, max(112.0, 56.0 + max(8.0 * len(node.name), 7.5 * len(detail)))), 56.0)


def arrange(graph: Graph, definition: str = "", *, sizes: Mapping[str, Size] | None = None) -> Graph:
    """The graph with the nodes of one level placed anew, the upper left about where it was."""
    level = level_of(graph, definition)
    if not level.nodes:
        return graph
    given = sizes or {}
    size = {key: given.get(key) or node_size(graph, node) for key, node in level.nodes.items()}
    ranks = _ranks(level)
    columns, neighbours = _columns(level, ranks)
    _untangle(columns, neighbours)
    tops = _tops(columns, neighbours, size)
    lefts = _lefts(columns, size)
    left, top = min(node.x for node in level.nodes.values()), min(node.y for node in level.nodes.values())
    highest = min(tops[key] for key in level.nodes)
    nodes = {
        key: replace(node, x=round(left + lefts[ranks[key]]), y=round(top + tops[key] - highest))
        for key, node in level.nodes.items()
    }
    nodes = {key: level.nodes[key] if nodes[key] == level.nodes[key] else nodes[key] for key in nodes}
    return graph.with_level(definition, replace(level, nodes=nodes))


Neighbours = dict[str, tuple[list[str], list[str]]]
"""Before and after each node or stand-in, in the columns beside it."""


def _ranks(level: Graph) -> dict[str, int]:
    """The column of each node: one right of the furthest that feeds it; sources stand just before what they feed."""
    try:
        keys = order(level)
    except CycleError:
        # A hand-edited file may hold a cycle: it still must be shown, so wires against the order count as none.
        keys = list(level.nodes)
    place = {key: index for index, key in enumerate(keys)}
    edges = [(e.source, e.target) for e in level.edges if place[e.source] < place[e.target]]
    after: dict[str, list[str]] = {key: [] for key in keys}
    before: dict[str, list[str]] = {key: [] for key in keys}
    for source, target in edges:
        after[source].append(target)
        before[target].append(source)
    ranks: dict[str, int] = {}
    for key in keys:
        ranks[key] = max((ranks[source] + 1 for source in before[key]), default=0)
    for key in reversed(keys):
        if not before[key] and after[key] and level.nodes[key].type not in (INPUT, GROUP_INPUT):
            ranks[key] = min(ranks[target] for target in after[key]) - 1
    last = max(ranks.values())
    for key, node in level.nodes.items():
        if node.type in (OUTPUT, GROUP_OUTPUT) and before[key]:
            ranks[key] = last
    return ranks


def _columns(level: Graph, ranks: dict[str, int]) -> tuple[list[list[str]], Neighbours]:
    columns: list[list[str]] = [[] for _ in range(max(ranks.values()) + 1)]
    neighbours: Neighbours = {}
    # Starting from the present heights keeps what a person arranged above above.
    for key in sorted(level.nodes, key=lambda key: level.nodes[key].y):
        columns[ranks[key]].append(key)
        neighbours[key] = ([], [])
    lanes: dict[tuple[str, str, int], str] = {}
    for edge in level.edges:
        previous = edge.source
        for rank in range(ranks[edge.source] + 1, ranks[edge.target]):
            # Wires from one output share their lane.
            lane = lanes.setdefault((edge.source, edge.output, rank), f"|{edge.source}.{edge.output}.{rank}")
            if lane not in neighbours:
                neighbours[lane] = ([], [])
                columns[rank].append(lane)
            _join(neighbours, previous, lane)
            previous = lane
        if ranks[edge.source] < ranks[edge.target]:
            _join(neighbours, previous, edge.target)
    return columns, neighbours


def _join(neighbours: Neighbours, left: str, right: str) -> None:
    if right not in neighbours[left][1]:
        neighbours[left][1].append(right)
        neighbours[right][0].append(left)


def _untangle(columns: list[list[str]], neighbours: Neighbours) -> None:
    """Orders each column by the mean place of its neighbours, sweeping right and left until nothing changes."""
    place = {key: float(index) for column in columns for index, key in enumerate(column)}
    for sweep in range(_SWEEPS):
        side = sweep % 2
        walk = columns if side == 0 else columns[::-1]
        changed = False
        for column in walk:
            mean = {}
            for key in column:
                beside = neighbours[key][side]
                mean[key] = sum(place[other] for other in beside) / len(beside) if beside else place[key]
            ordered = sorted(column, key=lambda key: (mean[key], place[key]))
            changed = changed or ordered != column
            column[:] = ordered
            for index, key in enumerate(column):
                place[key] = float(index)
        if not changed and sweep:
            return


def _tops(columns: list[list[str]], neighbours: Neighbours, size: dict[str, Size]) -> dict[str, float]:
    """Upper edges: each node level with the middle of its neighbours as far as those above leave room."""
    height = {key: size[key][1] if key in size else _LANE for column in columns for key in column}
    middle: dict[str, float] = {}
    for column in columns:
        _stack(column, height, dict.fromkeys(column, 0.0), middle)
    for sweep in range(_SWEEPS):
        side = sweep % 2
        for column in columns if side == 0 else columns[::-1]:
            wanted = {}
            for key in column:
                beside = neighbours[key][side]
                wanted[key] = sum(middle[other] for other in beside) / len(beside) if beside else middle[key]
            _stack(column, height, wanted, middle)
    return {key: middle[key] - height[key] / 2 for key in middle}


def _stack(column: list[str], height: dict[str, float], wanted: dict[str, float], middle: dict[str, float]) -> None:
    """Places a column in order, each as near to `wanted` as its neighbours allow, and the whole evenly about it."""
    blocks: list[tuple[float, list[str], float]] = []
    # Pool adjacent violators: nodes that would overlap become one block about their common mean.
    offset = 0.0
    for key in column:
        offset += height[key] / 2
        blocks.append((wanted[key] - offset, [key], 1.0))
        offset += height[key] / 2 + GAP_Y
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            at, keys, weight = blocks.pop()
            first, before, more = blocks.pop()
            blocks.append(((first * more + at * weight) / (more + weight), before + keys, more + weight))
    offset = 0.0
    for at, keys, _ in blocks:
        for key in keys:
            offset += height[key] / 2
            middle[key] = at + offset
            offset += height[key] / 2 + GAP_Y


def _lefts(columns: list[list[str]], size: dict[str, Size]) -> list[float]:
    lefts, x = [], 0.0
    for column in columns:
        lefts.append(x)
        x += max((size[key][0] for key in column if key in size), default=0.0) + GAP_X
    return lefts
