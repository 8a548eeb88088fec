"""Activations and normalisations that are settings of a layer, written out as the layers they stand for.

Owns `expand`, which gives shapes and code a graph without such settings, and `Expanded`, which leads back from it to
what the person drew. The layer itself keeps its name, so that the keys of its weights never change; what is set inside
`fc1` becomes `fc1_norm` and `fc1_act`. A level whose layers inherit differently from two blocks is written out twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.declare import Declaration, find
from engine.graph import MAX_DEPTH, Edge, Graph, Node
from engine.level_ends import Ends, ends_of
from engine.names import free_name, name_fault
from engine.shared_settings import AFTER

_NAMES = tuple(param.name for param in AFTER)
Place = tuple[str, str]
"""(definition id, node id)."""


@dataclass(frozen=True)
class Expanded:
    """A graph whose layers are all nodes of their own, and the way back."""

    graph: Graph
    origins: Mapping[str, str] = field(default_factory=dict)
    """Level of this graph -> level of the project, where they differ."""
    parts: Mapping[Place, str] = field(default_factory=dict)
    """Node of this graph that stands for a setting -> id of the layer that has the setting."""
    wires: Mapping[tuple[str, Edge], Edge] = field(default_factory=dict)
    """Wire of a level of this graph -> the project's, where they differ."""

    def level(self, definition: str) -> str:
        """The project's level."""
        return self.origins.get(definition, definition)

    def place(self, definition: str, node: str) -> Place:
        """The project's node."""
        return self.level(definition), self.parts.get((definition, node), node)

    def is_part(self, definition: str, node: str) -> bool:
        """Whether a node stands for a setting."""
        return (definition, node) in self.parts

    def wire(self, definition: str, edge: Edge) -> Edge:
        """The project's wire; behind a part, that of the layer it belongs to."""
        return self.wires.get((definition, edge), edge)


def expand(graph: Graph) -> Expanded:
    """The graph written out; the same value where nothing is set inside a layer."""
    values = [graph.defaults, *(node.params for _, level in graph.levels() for node in level.nodes.values())]
    if not any(params.get(name) for params in values if params for name in _NAMES[:2]):
        return Expanded(graph)
    return _Expansion(graph).done()


def inside(graph: Graph) -> Mapping[Place, tuple[Node, ...]]:
    """Layer -> the layers that stand for its settings, in the order that numbers go through them: what it says itself
    and what it inherits. Of a level that two blocks use differently, as in the first. Remembered for the last graph.
    """
    global _inside
    if _inside[0] is not graph:
        found: dict[Place, dict[str, Node]] = {}
        expanded = expand(graph)
        levels = dict(expanded.graph.levels())
        for (level, part), owner in expanded.parts.items():
            place = (expanded.level(level), owner)
            suffix = part.removeprefix(owner)
            found.setdefault(place, {}).setdefault(suffix, levels[level].nodes[part])
        _inside = (graph, {place: tuple(parts.values()) for place, parts in found.items()})
    return _inside[1]


_inside: tuple[Graph | None, Mapping[Place, tuple[Node, ...]]] = (None, {})


def activated(type_name: str) -> Declaration | None:
    """The declaration of a layer that may hold an activation; None for other layers, some of which have a setting of
    the same name but another meaning.
    """
    declaration = find("layer", type_name)
    param = declaration.by_name.get("normalization") if declaration else None
    return declaration if param is not None and param.of == "normalization" else None


class _Expansion:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.levels: dict[str, Graph] = {}
        self.known: dict[Any, str] = {}
        self.origins: dict[str, str] = {}
        self.parts: dict[Place, str] = {}
        self.wires: dict[tuple[str, Edge], Edge] = {}

    def done(self) -> Expanded:
        """Every level that the outermost one reaches."""
        top = self._written("", "", {}, None, ())
        definitions = {**self.graph.definitions, **self.levels}
        return Expanded(replace(top, definitions=definitions), self.origins, self.parts, self.wires)

    def _level(self, definition: str, around: Mapping[str, Any], ports: frozenset[str], above: tuple[str, ...]) -> str:
        """The id of a definition as it is inside a block; `ports` are those that an Output follows."""
        if definition not in self.graph.definitions or definition in above or len(above) > MAX_DEPTH:
            return definition
        key = (definition, repr([around.get(name) for name in _NAMES]), ports)
        if key not in self.known:
            name, number = definition, 1
            while name in self.levels or (name != definition and name in self.graph.definitions):
                name, number = f"{definition}/{number}", number + 1
            self.known[key] = name
            self.origins[name] = definition
            self.levels[name] = Graph()  # taken from now on
            self.levels[name] = self._written(definition, name, around, ports, (*above, definition))
        return self.known[key]

    def _written(
        self,
        definition: str,
        name: str,
        around: Mapping[str, Any],
        ports: frozenset[str] | None,
        above: tuple[str, ...],
    ) -> Graph:
        level = self.graph.level(definition)
        if not definition:
            around = level.defaults
        ends = ends_of(self.graph, level, ports)
        nodes: dict[str, Node] = {}
        leaving: dict[str, tuple[str, str]] = {}
        edges: list[Edge] = []
        names = {node.name for node in level.nodes.values()}
        for key, node in level.nodes.items():
            if node.is_group:
                inner = {**around, **{item: node.params[item] for item in _NAMES if node.params.get(item) is not None}}
                found = self._level(node.definition, inner, ends.ports.get(key, frozenset()), above)
                nodes[key] = node if found == node.definition else replace(node, definition=found)
                continue
            declaration = activated(node.type)
            if declaration is None:
                nodes[key] = node
                continue
            nodes[key] = _bare(node)
            before = (key, declaration.outputs[0].name)
            for part, port in self._parts(level, node, declaration, around, ends, names):
                nodes[part.id] = part
                names.add(part.name)
                self.parts[(name, part.id)] = key
                edges.append(Edge(*before, part.id, port))
                before = (part.id, "out")
            if before[0] != key:
                leaving[key] = before
        edges += [self._rewired(name, edge, leaving) for edge in level.edges]
        return replace(level, nodes=nodes, edges=tuple(edges))

    def _rewired(self, name: str, edge: Edge, leaving: Mapping[str, tuple[str, str]]) -> Edge:
        if edge.source not in leaving:
            return edge
        source, output = leaving[edge.source]
        made = replace(edge, source=source, output=output)
        self.wires[(name, made)] = edge
        return made

    def _parts(
        self, level: Graph, node: Node, declaration: Declaration, around: Mapping[str, Any], ends: Ends,
        names: set[str],
    ) -> list[tuple[Node, str]]:  # fmt: skip
        """The nodes behind a layer, each with the port where numbers enter it."""
        owner = level.nodes.get(node.shares, node)
        inherits: Mapping[str, Any] = {} if owner.id in ends.last else around
        found: list[tuple[Node, str]] = []
        for setting, suffix in (("normalization", "norm"), ("activation", "act")):
            chosen = owner.params.get(setting) or inherits.get(setting)
            made = _layer_of(setting, chosen, declaration)
            if made is None or chosen is None:
                continue
            wanted = f"{'layer_' if node.name.isdecimal() else ''}{node.name.replace('-', '_')}_{suffix}"
            free = wanted if wanted not in names and not name_fault(wanted) else free_name(names, wanted)
            shares = f"{owner.id}/{suffix}" if owner is not node else ""
            part = Node(f"{node.id}/{suffix}", free, made.type, _settings(chosen, made, declaration), shares=shares)
            found.append((part, made.inputs[0].name))
        place = owner.params.get("norm_place") or around.get("norm_place")
        return found[::-1] if place == "after" else found


def _layer_of(setting: str, chosen: Any, declaration: Declaration) -> Declaration | None:
    """The layer that a choice stands for behind this one; None for nothing, and for what the checks refuse."""
    named = find(setting, str(chosen.get("type"))) if isinstance(chosen, Mapping) else None
    if named is None or named.type == "none":
        return None
    if setting == "activation":
        return find("layer", named.type)
    layers: tuple[str, ...] = getattr(named.cls, "layers", ())
    return (
        find("layer", layers[min(max(_PLACES.get(declaration.accepts, 1) - 1, 0), len(layers) - 1)]) if layers else None
    )


def _bare(node: Node) -> Node:
    if not any(name in node.params for name in _NAMES):
        return node
    return replace(node, params={key: value for key, value in node.params.items() if key not in _NAMES})


def _settings(chosen: Mapping[str, Any], made: Declaration, holder: Declaration) -> dict[str, Any]:
    """The settings of the layer that a choice stands for; a norm's axes that were left open are the holder's."""
    found = {key: value for key, value in chosen.items() if key != "type"}
    if "axes" in made.by_name and found.get("axes") is None:
        found.pop("axes", None)
        if places := _PLACES.get(holder.accepts, 0):
            found["axes"] = 1 + places
    return found


_PLACES = {"signal": 1, "image": 2, "volume": 3}
"""Axes beside the channels of what convolutions take."""
