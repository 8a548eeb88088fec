"""Offered edits against torch: each one is applied, checked again, and gives the shape it promised."""

from __future__ import annotations

import pytest

from engine import edits
from engine.datafacts import DataFacts, Target
from engine.graph import Graph
from engine.known import with_facts
from engine.problem import Problem
from engine.project import Project
from engine.runtime.analyze import analyze
from engine.tensor import INT, TensorInfo, shape_text

Shape = tuple[int, ...]


def meeting(layer: str, *shapes: Shape, tokens: bool = False) -> tuple[Project, str]:
    """Inputs of these shapes wired to one layer, an Output after it; the id of the layer."""
    graph, middle = edits.add_node(Graph(), "", layer, x=400.0)
    streams = {}
    for number, shape in enumerate(shapes):
        stream = f"s{number}"
        graph, source = edits.add_node(graph, "", "input", params={"stream": stream, "kind": kind_of(shape, tokens)})
        port = "xs" if layer in ("add", "concatenate") else "x"
        graph = edits.connect(graph, "", source.id, "out", middle.id, port)
        streams[stream] = TensorInfo(shape, INT if tokens else "float32")
    graph, end = edits.add_node(graph, "", "output", x=800.0)
    graph = edits.connect(graph, "", middle.id, "out", end.id, "x")
    facts = DataFacts(inputs=streams, targets={"y": Target("none")})
    return with_facts(Project(graph=graph), facts), middle.id


def kind_of(shape: Shape, tokens: bool) -> str:
    return "tokens" if tokens else {1: "vector", 2: "sequence", 3: "image"}.get(len(shape), "image")


def shape_fault(project: Project, node: str) -> Problem | None:
    found = [item for item in analyze(project).problems if item.code == "shape" and item.where.node == node]
    return found[0] if found else None


CASES: list[tuple[str, tuple[Shape, ...]]] = [
    ("conv2d", ((64,),)),
    ("conv2d", ((3072,),)),
    ("conv2d", ((28, 28),)),
    ("conv1d", ((64,),)),
    ("conv1d", ((3, 4, 8),)),
    ("lstm", ((1, 8, 8),)),
    ("lstm", ((16, 4, 4),)),
    ("lstm", ((10,),)),
    ("conv3d", ((3, 8, 8),)),
    ("add", ((64, 8, 8), (128, 4, 4))),
    ("add", ((3, 9, 9), (5, 5, 5))),
    ("add", ((3, 8, 8), (5, 8, 8))),
    ("add", ((3,), (5,))),
    ("add", ((4, 8), (6, 8))),
    ("add", ((1, 4, 4), (16,))),
    ("concatenate", ((1, 8, 8), (16,))),
    ("concatenate", ((8, 16, 16), (4, 8, 8))),
    ("concatenate", ((4, 8, 8), (8, 16, 16))),
]


@pytest.mark.parametrize(("layer", "shapes"), CASES, ids=lambda value: str(value).replace(" ", ""))
def test_every_offered_edit_gives_the_shape_it_promised(layer: str, shapes: tuple[Shape, ...]) -> None:
    project, node = meeting(layer, *shapes)
    problem = shape_fault(project, node)
    assert problem is not None
    assert problem.fixes
    for fix in problem.fixes:
        assert fix.apply is not None
        mended = fix.apply(project)
        assert shape_fault(mended, node) is None, fix.title
        nodes = analyze(mended).nodes
        added = set(mended.graph.nodes) - set(project.graph.nodes)
        shown = {
            shape_text(facts.output.shape) for key, facts in nodes.items() if facts.output and key[1] in {*added, node}
        }
        assert not fix.shape or fix.shape in shown, f"{fix.title}: {fix.shape} is not among {shown}"


def test_whole_numbers_before_a_linear_layer_get_an_embedding() -> None:
    project, node = meeting("linear", (12,), tokens=True)
    problem = shape_fault(project, node)
    assert problem is not None
    fix = problem.fixes[0]
    assert fix.apply is not None
    mended = fix.apply(project)
    assert shape_fault(mended, node) is None
    embedding = mended.graph.of_type("embedding")[0]
    found = analyze(mended).nodes[("", embedding.id)].output
    assert found is not None
    assert shape_text(found.shape) == fix.shape
