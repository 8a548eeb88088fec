"""What a box says: name, second line, family and glyph of a node, from its declaration and the project.

Owns those words. Never measures or draws them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from engine.datafacts import BINARY, CLASS
from engine.declare import Declaration, find
from engine.expand import inside
from engine.graph import GROUP, GROUP_INPUT, GROUP_OUTPUT, INPUT, OUTPUT, Graph, Node
from engine.project import Project

GLYPHS = {
    "add": "op-add", "multiply": "op-multiply", "subtract": "op-subtract", "concat": "op-concat",
    "concatenate": "op-concat", OUTPUT: "family-io-out", GROUP_OUTPUT: "family-io-out", GROUP: "group",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """Name and second line of a box, the family that colours it, its glyph, and whether it is a bare merge."""

    name: str
    detail: str
    family: str
    glyph: str
    merge: bool = False
    inner: tuple[str, ...] = ()
    """Activation and normalisation that are settings of the layer."""

    @property
    def line(self) -> str:
        """The second line: what the layer does, then what it holds. Beside the latter a bare number says enough."""
        return " · ".join((self.detail.removesuffix(" outputs"), *self.inner)) if self.inner else self.detail


def words(project: Project, definition: str, node: Node) -> Words:
    """The words of a node of a level; a type that nobody declared says so."""
    if node.is_group:
        inside = project.graph.definitions.get(node.definition)
        title = (inside.title if inside and inside.title else "") or node.name
        return Words(title, "", "merge", "group")
    if node.type in (INPUT, OUTPUT):
        detail = _data_title(project) if node.type == INPUT else _target_words(project, node)
        return Words(node.name, detail, "io", GLYPHS.get(node.type, "family-io"))
    if node.type in (GROUP_INPUT, GROUP_OUTPUT):
        port = _tr("input of the block") if node.type == GROUP_INPUT else _tr("output of the block")
        return Words(node.name, port, "io", GLYPHS.get(node.type, "family-io"))
    declaration = find("layer", node.type)
    if declaration is None:
        return Words(node.name, _tr("unknown type {0}").format(node.type), "merge", "help")
    detail = declaration.detail(node.params) or declaration.title
    glyph = GLYPHS.get(node.type, f"family-{declaration.family}")
    return Words(
        node.name,
        detail,
        declaration.family,
        glyph,
        is_merge(declaration),
        inner_words(project.graph, definition, node),
    )


def inner_words(graph: Graph, definition: str, node: Node) -> tuple[str, ...]:
    """The activation and the normalisation that a layer holds, said or inherited, shortly and in their order."""
    found = []
    for part in inside(graph).get((definition, node.id), ()):
        norm = find("normalization", part.type)
        declaration = norm or find("activation", part.type)
        found.append(getattr(norm.cls, "short", part.type) if norm else declaration.title if declaration else part.type)
    return tuple(found)


def is_merge(declaration: Declaration) -> bool:
    """Whether a layer joins branches and is therefore drawn small, without a second line."""
    joins = len(declaration.inputs) > 1 or any(port.variadic for port in declaration.inputs)
    return declaration.family == "merge" and joins


def leaves(graph: Graph, definition: str, depth: int = 0) -> Iterator[tuple[str, Node]]:
    """Every layer inside a definition, groups opened, ports left out, as (definition id, node)."""
    level = graph.definitions.get(definition)
    if level is None or depth > 8:
        return
    for node in level.nodes.values():
        if node.is_group:
            yield from leaves(graph, node.definition, depth + 1)
        elif node.type not in (GROUP_INPUT, GROUP_OUTPUT):
            yield definition, node


def chain(level: Graph) -> tuple[Node, ...]:
    """The nodes between input and output when the level is one plain chain, in order; empty when it is not."""
    inputs, outputs = level.of_type(GROUP_INPUT), level.of_type(GROUP_OUTPUT)
    inner = len(level.nodes) - len(inputs) - len(outputs)
    if len(inputs) != 1 or len(outputs) != 1 or inner == 0 or len(level.edges) != inner + 1:
        return ()
    after = {edge.source: edge.target for edge in level.edges}
    if len(after) != len(level.edges):
        return ()
    found: list[Node] = []
    place = after.get(inputs[0].id, "")
    while place in level.nodes and place != outputs[0].id and len(found) < inner:
        found.append(level.nodes[place])
        place = after.get(place, "")
    return tuple(found) if place == outputs[0].id and len(found) == inner else ()


def _data_title(project: Project) -> str:
    data = project.recipe.get("data")
    declaration = find("dataset", str(data.get("type", "")))
    return declaration.title if declaration else str(data.get("type", ""))


def _target_words(project: Project, node: Node) -> str:
    targets = project.data.targets if project.data else {}
    target = targets.get(str(node.params.get("target", ""))) or next(iter(targets.values()), None)
    if target is None:
        return _tr("Output")
    if target.kind == CLASS and target.classes:
        return _tr("{0} classes").format(len(target.classes))
    if target.kind == BINARY:
        return _tr("yes or no")
    return _tr("one value") if target.size == 1 else _tr("{0} values").format(target.size)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Canvas", text)
