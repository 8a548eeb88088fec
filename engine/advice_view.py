"""What advice asks of a network: who follows whom, what a layer is activated by, and which settings hold for it.

Built once per check and level, so that each rule only reads. Copes with activations and normalisations that are
layers of their own and with those that are settings of a layer. Knows no torch and gives no advice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any

from engine.declare import find
from engine.graph import GROUP_OUTPUT, MAX_DEPTH, OUTPUT, Graph, Node
from engine.inherit import inherited
from engine.level_ends import last_by_level
from engine.project import Project

NORMS = ("batch_norm1d", "batch_norm2d", "batch_norm3d", "layer_norm", "group_norm", "instance_norm2d", "rms_norm")
BATCH_NORMS = ("batch_norm1d", "batch_norm2d", "batch_norm3d")
DROPOUTS = ("dropout", "dropout2d", "alpha_dropout")
_BETWEEN = (*NORMS, *DROPOUTS, "identity", "flatten", "reshape")
"""Layers that may stand between a layer and its activation."""


class Level:
    """One level of a network: its wires by node, and the layers with weights in order of creation."""

    def __init__(self, graph: Graph, definition: str, last: Collection[str] = ()) -> None:
        self.graph, self.definition, self.last = graph, definition, last
        self.level = graph.level(definition)
        self._inherited: dict[str, Any] = {}

    @cached_property
    def _wires(self) -> tuple[dict[str, list[Node]], dict[str, list[Node]]]:
        after: dict[str, list[Node]] = {}
        before: dict[str, list[Node]] = {}
        nodes = self.level.nodes
        for edge in self.level.edges:
            source, target = nodes.get(edge.source), nodes.get(edge.target)
            if source is not None and target is not None:
                after.setdefault(source.id, []).append(target)
                before.setdefault(target.id, []).append(source)
        return after, before

    @cached_property
    def families(self) -> dict[str, str]:
        """Family of each node's type; "" for blocks and unknown types."""
        kinds = {node.type: "" for node in self.level.nodes.values()}
        for type_name in kinds:
            declaration = find("layer", type_name)
            kinds[type_name] = declaration.family if declaration else ""
        return {key: kinds[node.type] for key, node in self.level.nodes.items()}

    @cached_property
    def weighted(self) -> tuple[Node, ...]:
        """The layers whose weights an initializer may fill."""
        kinds = {node.type for node in self.level.nodes.values()}
        having = {kind for kind in kinds if (found := find("layer", kind)) is not None and found.weights}
        return tuple(node for node in self.level.nodes.values() if node.type in having)

    def after(self, node: Node) -> list[Node]:
        """What a node feeds."""
        return self._wires[0].get(node.id, [])

    def before(self, node: Node) -> list[Node]:
        """What feeds a node."""
        return self._wires[1].get(node.id, [])

    def setting(self, node: Node, name: str) -> Any:
        """A setting that layers inherit, as it holds for this layer; None where nobody says anything."""
        own = node.params.get(name)
        if own is not None:
            return own
        if name not in self._inherited:
            found = inherited(self.graph, self.definition, name)
            self._inherited[name] = None if found is None else found.value
        return self._inherited[name]

    def choice(self, node: Node, name: str) -> str:
        """The type of a tagged setting that holds for a layer; "" for none, and where the layer has no such setting.

        Last layers have an activation and a normalisation only where they say so themselves.
        """
        declaration = find("layer", node.type)
        param = declaration.by_name.get(name) if declaration else None
        if param is None or param.kind != "tagged":
            return ""
        own = name in ("activation", "normalization") and node.id in self.last
        kind = type_of(node.params.get(name) if own else self.setting(node, name))
        return "" if kind == "none" else kind

    def activation(self, node: Node) -> tuple[str, Node | None]:
        """What activates a layer's numbers: (type, the layer of its own that does it, else None); "" for nothing.

        A layer that feeds several others has an activation only where all of them go through the same node.
        """
        inside = self.choice(node, "activation")
        if inside:
            return inside, None
        here = node
        for _ in range(8):
            following = self.after(here)
            if len(following) != 1:
                break
            here = following[0]
            if self.families[here.id] == "activation":
                return here.type, here
            if here.type not in _BETWEEN:
                break
        return "", None

    def reached(self, node: Node) -> Iterator[Node]:
        """The nodes behind a node, as far as the next that is no activation, normalisation, dropout or reshaping."""
        waiting, seen = list(self.after(node)), set[str]()
        while waiting:
            found = waiting.pop()
            if found.id in seen:
                continue
            seen.add(found.id)
            yield found
            if self.families[found.id] == "activation" or found.type in _BETWEEN:
                waiting += self.after(found)


class View:
    """A project as the rules of advice see it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        last = last_by_level(project.graph)
        self.levels = [
            Level(project.graph, definition, last.get(definition, ())) for definition, _ in project.graph.levels()
        ]

    @cached_property
    def _blocks(self) -> dict[str, tuple[Level, Node]]:
        """The first block that holds each definition, with its level."""
        found: dict[str, tuple[Level, Node]] = {}
        for level in self.levels:
            for node in level.level.nodes.values():
                if node.is_group:
                    found.setdefault(node.definition, (level, node))
        return found

    def copies(self, level: Level) -> int:
        """How often a level runs, as far as its first block says: the product of the repeats around it."""
        found, depth = 1, 0
        while level.definition in self._blocks and depth < MAX_DEPTH:
            level, block = self._blocks[level.definition]
            found, depth = found * block.repeat, depth + 1
        return found

    def is_last(self, level: Level, node: Node, depth: int = 0) -> bool:
        """Whether nothing with weights follows before an Output. Of a repeated block most copies are hidden."""
        for found in level.reached(node):
            if found.type == OUTPUT:
                return True
            if found.type == GROUP_OUTPUT and depth < MAX_DEPTH:
                outer, block = self._blocks.get(level.definition, (level, node))
                if outer is not level and block.repeat == 1 and self.is_last(outer, block, depth + 1):
                    return True
        return False

    @cached_property
    def selu(self) -> tuple[tuple[Level, Node, Node | None], ...]:
        """The layers that SELU activates: (level, layer, the SELU's own node or None)."""
        used = {node.type for level in self.levels for node in level.level.nodes.values()}
        if "selu" not in used and not any(self._mentions(level) for level in self.levels):
            return ()
        found = []
        for level in self.levels:
            for node in level.weighted:
                kind, own = level.activation(node)
                if kind == "selu":
                    found.append((level, node, own))
        return tuple(found)

    def _mentions(self, level: Level) -> bool:
        chosen = [node.params.get("activation") for node in level.level.nodes.values() if node.params]
        return any(type_of(item) == "selu" for item in [*chosen, level.graph.defaults.get("activation")])

    def recipe_type(self, name: str) -> str:
        """The type of a tagged setting of the recipe; "" when it is none."""
        return type_of(self.project.recipe.get(name))

    @cached_property
    def standardised(self) -> bool:
        """Whether preprocessing brings inputs to mean 0 and deviation 1."""
        found = self.project.recipe.get("preprocess")
        return isinstance(found, Mapping) and found.get("standardize", "none") != "none"


def type_of(tagged: Any) -> str:
    """The type of a tagged value; "" for anything else."""
    return str(tagged.get("type", "")) if isinstance(tagged, Mapping) else ""
