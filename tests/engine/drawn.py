"""Draws graphs for tests in a few words: nodes by name, wired by the names of what feeds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.datafacts import DataFacts
from engine.graph import Edge, Graph, Node, input_ports, output_ports
from engine.known import with_facts
from engine.project import Project
from engine.recipe import Recipe
from engine.runtime.meta import arg_names
from engine.runtime.shapes import Memo, infer
from engine.source import Source, generate
from engine.tensor import TensorInfo


@dataclass
class Box:
    name: str
    type: str
    feeds: tuple[str, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)


def box(name: str, type_name: str, *feeds: str, more: dict[str, Any] | None = None, **params: Any) -> Box:
    """A node; `feeds` are names of what is wired to it in order, `name.port` for a port that is not the first."""
    return Box(name, type_name, feeds, params, more or {})


def draw(*boxes: Box, title: str = "", inside: dict[str, Graph] | None = None, **defaults: Any) -> Graph:
    """A level whose node ids are the names; `inside` are the definitions."""
    nodes = {item.name: Node(item.name, item.name, item.type, item.params, **item.more) for item in boxes}
    graph = Graph(nodes, (), title, inside or {}, defaults)
    edges: list[Edge] = []
    for item in boxes:
        ports = input_ports(graph, nodes[item.name])
        for place, feed in enumerate(item.feeds):
            source, _, port = feed.partition(".")
            wide = bool(ports) and ports[0].variadic
            target = ports[0 if wide else place].name
            output = port or output_ports(graph, nodes[source])[0].name
            edges.append(Edge(source, output, item.name, target, place if wide else 0))
    return Graph(nodes, tuple(edges), title, inside or {}, defaults)


def group(name: str, definition: str, *feeds: str, repeat: int = 1, vary: dict[str, Any] | None = None) -> Box:
    """A group node."""
    return Box(name, "group", feeds, {}, {"definition": definition, "repeat": repeat, "vary": vary or {}})


def facts(**inputs: tuple[int, ...]) -> DataFacts:
    """Facts of float streams, such as `facts(x=(784,))`."""
    return DataFacts({name: TensorInfo(shape) for name, shape in inputs.items()})


def project(graph: Graph, data: DataFacts | None = None, name: str = "net", **recipe: Any) -> Project:
    """A project around a graph."""
    made = Project(name, graph, Recipe(recipe))
    return made if data is None else with_facts(made, data)


def source_of(graph: Graph, data: DataFacts | None = None, title: str = "net", memo: Memo | None = None) -> Source:
    """The generated text of a graph without faults."""
    network = infer(graph, data, memo)
    assert network.ok, [(call.node.name, call.fault) for call in network.calls]
    return generate(graph, network, title=title, arg_names=arg_names)


def body_of(graph: Graph, data: DataFacts | None = None, title: str = "net") -> str:
    """The classes alone."""
    return source_of(graph, data, title).classes


def linear_block(units: int = 100, **params: Any) -> Graph:
    """Linear and ReLU between one port and the other."""
    return draw(
        box("x", "group_input"), box("linear", "linear", "x", units=units, **params), box("relu", "relu", "linear"),
        box("y", "group_output", "relu"), title="block",
    )  # fmt: skip


def deep(repeat: int = 20, **more: Any) -> Graph:
    """An MLP of equal blocks on 784 features."""
    return draw(
        box("x0", "input"), group("blocks", "d", "x0", repeat=repeat, **more),
        box("head", "linear", "blocks", units=10), box("out", "output", "head"), inside={"d": linear_block()},
    )  # fmt: skip
