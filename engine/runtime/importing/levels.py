"""From the tree of groups to a Graph: nodes, ports and wires; equal levels are one definition, equal siblings a repeat.

Two groups share a definition when they agree in everything but the shapes that arrive. Siblings `0` .. `n-1` that feed
each other and differ in at most two settings become one group with a repeat, its keys the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from engine.declare import find
from engine.graph import GROUP, GROUP_INPUT, GROUP_OUTPUT, INPUT, OUTPUT, Edge, Graph, Node, output_ports
from engine.names import free_name, name_fault, new_id
from engine.problem import ProblemError, Where, error
from engine.runtime.importing.alike import differing, shape_of
from engine.runtime.importing.nest import Box, name_of, nest
from engine.runtime.importing.steps import Feed, Step, Steps

_ASIDE = 0.3
"""Weight of auxiliary outputs in the loss (Szegedy et al. 2015)."""
_MOST_VARIED = 2
"""So many settings may differ between the copies of a repeat; more would be hard to read."""


@dataclass
class Levelled:
    """A graph, and where a module of the original is called otherwise in it."""

    graph: Graph
    moved: dict[str, str] = field(default_factory=dict)
    """Module path of the original -> instance path here, where they differ."""


def level_up(steps: Steps, aside: Collection[str] = ()) -> Levelled:
    """The graph of a network; outputs named in `aside` help while training and count less."""
    return _Levels(steps, aside).done()


@dataclass
class _Drawing:
    """One level while it is made: where each value can be had on it."""

    box: Box
    path: str
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    at: dict[Feed, tuple[str, str]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    """Module path -> id of the node that made it, on this level."""

    def named(self, wanted: str, *, port: bool = False) -> str:
        """A free name near the wish."""
        taken = {node.name for node in self.nodes.values()}
        if wanted not in taken and not name_fault(wanted, port=port):
            return wanted
        return free_name(taken, wanted, port=port)

    def add(self, node: Node) -> Node:
        """Puts a node onto the level."""
        self.nodes[node.id] = node
        return node


class _Levels:
    def __init__(self, steps: Steps, aside: Collection[str]) -> None:
        self.steps = steps
        self.aside = aside
        self.definitions: dict[str, Graph] = {}
        self.known: dict[Any, str] = {}
        self.moved: dict[str, str] = {}
        self.homes: dict[str, str] = {}
        """Module path with weights -> path of the level where it was made."""

    def done(self) -> Levelled:
        """The outermost level with its definitions."""
        root = nest(self.steps)
        drawing = _Drawing(root, "")
        for name, shape, dtype in self.steps.inputs:
            kind = _input_kind(shape, dtype)
            wanted = name if not name_fault(name) else kind  # `x` is a name of the generated code
            node = drawing.add(Node(new_id(), drawing.named(wanted), INPUT, {"kind": kind, "shape": shape}))
            drawing.at[Feed(f"input:{name}")] = (node.id, "out")
        self._children(drawing)
        for place, (name, feed) in enumerate(self.steps.outputs):
            wanted = name or ("output" if len(self.steps.outputs) == 1 else f"output{place + 1}")
            params = {"weight": _ASIDE} if name in self.aside else {}
            node = drawing.add(Node(new_id(), drawing.named(wanted), OUTPUT, params))
            drawing.edges.append(Edge(*drawing.at[feed], node.id, "x"))
        graph = Graph(_tidied(drawing.nodes), tuple(drawing.edges), "", self.definitions)
        return Levelled(graph, self.moved)

    def _children(self, drawing: _Drawing) -> None:
        for child in drawing.box.children:
            if isinstance(child, Step):
                self._layer(drawing, child)
            else:
                self._group(drawing, child)

    def _layer(self, drawing: _Drawing, step: Step) -> None:
        declaration = find("layer", step.type)
        if declaration is None:
            raise ProblemError(error(step.path or step.name, f"There is no layer {step.type!r}", code="import.unknown"))
        params, faults = declaration.clean(step.params)
        if faults:
            raise ProblemError(
                error(Where(label=step.path or step.name), f"Its settings are out of bounds: {faults[0]}",
                      f"Settings of {declaration.title}", "Change it in the code", code="import.settings")
            )  # fmt: skip
        shares = self._shared(drawing, step) if step.stateful else ""
        name = drawing.named(name_of(step, drawing.box))
        node = drawing.add(Node(new_id(), name, step.type, params, shares=shares))
        if step.stateful and not shares:
            drawing.owners[step.path] = node.id
            self.homes[step.path] = drawing.path
            self._noted(step.path, f"{drawing.path}{name}")
        ports = declaration.inputs
        for place, feed in enumerate(step.feeds):
            wide = bool(ports) and ports[0].variadic
            port = ports[0 if wide else place].name
            drawing.edges.append(Edge(*drawing.at[feed], node.id, port, place if wide else 0))
        for place, output in enumerate(declaration.outputs):
            drawing.at[Feed(step.key, place)] = (node.id, output.name)

    def _shared(self, drawing: _Drawing, step: Step) -> str:
        """The node whose weights a second call of a module uses."""
        found = drawing.owners.get(step.path, "")
        if not found and step.path in self.homes and self.homes[step.path] != drawing.path:
            raise ProblemError(
                error(Where(label=step.path), "Its weights are used in two different blocks",
                      "Weights that are shared within one block", "Call the module from one place",
                      code="import.shared")
            )  # fmt: skip
        return found

    def _noted(self, path: str, here: str) -> None:
        if path != here:
            self.moved[path] = here

    def _group(self, drawing: _Drawing, box: Box) -> None:
        name = drawing.named(name_of(box, drawing.box))
        owner = drawing.owners.get(box.path, "")
        definition, repeat, vary = self._definition(box, f"{drawing.path}{name}.")
        shares = owner if owner and drawing.nodes[owner].definition == definition else ""
        node = drawing.add(Node(new_id(), name, GROUP, {}, definition=definition, repeat=repeat, vary=vary,
                                shares=shares))  # fmt: skip
        drawing.owners.setdefault(box.path, node.id)
        level = self.definitions[definition]
        for feed, port in zip(box.enters, level.of_type(GROUP_INPUT), strict=True):
            drawing.edges.append(Edge(*drawing.at[feed], node.id, port.name))
        graph = Graph(definitions=self.definitions)
        for feed, out in zip(box.leaves, output_ports(graph, node), strict=True):
            drawing.at[feed] = (node.id, out.name)

    def _definition(self, box: Box, path: str) -> tuple[str, int, dict[str, tuple[Any, ...]]]:
        """(definition, repeat, what varies) of a box."""
        if self._is_run(box):
            found = [
                self._definition(child, f"{path}{child.name}.") for child in box.children if isinstance(child, Box)
            ]
            if all(repeat == 1 for _, repeat, _ in found):
                varied = differing(self.definitions, [definition for definition, _, _ in found])
                if varied is not None and len(varied) <= _MOST_VARIED:
                    return found[0][0], len(found), varied
        drawing = _Drawing(box, path)
        for place, feed in enumerate(box.enters):
            wanted = "x" if not place else f"x{place + 1}"
            node = drawing.add(Node(new_id(), drawing.named(wanted, port=True), GROUP_INPUT))
            drawing.at[feed] = (node.id, "out")
        self._children(drawing)
        for feed in box.leaves:
            node = drawing.add(Node(new_id(), drawing.named("out"), GROUP_OUTPUT))
            drawing.edges.append(Edge(*drawing.at[feed], node.id, "x"))
        level = Graph(_tidied(drawing.nodes), tuple(drawing.edges), self._title(box))
        return self._kept(level), 1, {}

    def _kept(self, level: Graph) -> str:
        """The id of a level; that of an equal one, where there is one."""
        key = shape_of(level, with_values=True)
        if key not in self.known:
            self.known[key] = new_id()
            self.definitions[self.known[key]] = level
        return self.known[key]

    def _is_run(self, box: Box) -> bool:
        """True for children 0, 1, 2 ... that are groups and feed each other, and nothing else."""
        children = box.children
        groups = [child for child in children if isinstance(child, Box)]
        if len(groups) < 2 or len(groups) != len(children):
            return False
        if [child.name for child in groups] != [str(place) for place in range(len(groups))]:
            return False
        pairs = pairwise(groups)
        return (
            box.enters == groups[0].enters and box.leaves == groups[-1].leaves
            and len(box.enters) == len(box.leaves) and all(after.enters == before.leaves for before, after in pairs)
        )  # fmt: skip

    def _title(self, box: Box) -> str:
        kind = self.steps.classes.get(box.path, "")
        if kind and kind not in ("Sequential", "ModuleList", "ModuleDict"):
            return kind
        parts = [part for part in box.path.split(".") if part]
        words = parts[-1] if not parts[-1].isdecimal() else "_".join(parts[-2:])
        return words.replace("_", " ").title().replace(" ", "")


def _input_kind(shape: tuple[int, ...], dtype: str) -> str:
    if dtype.startswith("int"):
        return "tokens"
    kinds: Mapping[int, str] = {1: "vector", 2: "sequence", 3: "image"}
    return kinds.get(len(shape), "image")


def _tidied(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """The nodes as they are; places come from the layout of the whole graph."""
    return {key: replace(node, x=0.0, y=0.0) for key, node in nodes.items()}
