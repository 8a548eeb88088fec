"""Wrong shapes: what the problem says and which edits it offers, best first."""

from __future__ import annotations

import pytest

from engine import edits
from engine.declare import Refusal, find
from engine.graph import Edge, Graph, Node
from engine.mend import Arrival, shape_problem
from engine.problem import Problem
from engine.project import Project
from engine.tensor import FLOAT, INT, TensorInfo

FAULT = Refusal("It does not fit.", "Something else", "Change it")


def meeting(layer: str, *infos: TensorInfo) -> tuple[Project, Problem]:
    """An input for each shape, wired to a layer of that type, and the problem of that layer."""
    graph, target = edits.add_node(Graph(), "", layer, x=400.0)
    declaration = find("layer", layer)
    assert declaration is not None
    arrived = []
    for depth, info in enumerate(infos):
        graph, source = edits.add_node(graph, "", "input")
        graph = edits.connect(graph, "", source.id, "out", target.id, declaration.inputs[0].name)
        arrived.append(Arrival(declaration.inputs[0].name, info, graph.edges[-1], source, depth))
    return Project(graph=graph), shape_problem(target, declaration, arrived, FAULT)


@pytest.mark.parametrize(
    ("layer", "shape", "title", "result"),
    [
        ("conv2d", (64,), "Insert Reshape to a grey image", "1×8×8"),
        ("conv2d", (3072,), "Insert Reshape to a colour image", "3×32×32"),
        ("conv2d", (28, 28), "Insert Reshape to one channel", "1×28×28"),
        ("conv1d", (64,), "Insert Reshape to one channel", "1×64"),
        ("lstm", (1, 8, 8), "Insert Reshape: each row is a step", "8×8"),
        ("lstm", (16, 4, 4), "Insert Reshape and Permute: each position is a step", "16×16"),
        ("lstm", (10,), "Insert Reshape: one number per step", "10×1"),
        ("conv3d", (3, 8, 8), "Insert Reshape to one channel", "1×3×8×8"),
    ],
)
def test_a_sample_of_another_rank_is_brought_to_the_right_one(
    layer: str, shape: tuple[int, ...], title: str, result: str
) -> None:
    project, problem = meeting(layer, TensorInfo(shape))
    assert (problem.fixes[0].title, problem.fixes[0].shape) == (title, result)
    mended = problem.fixes[0].apply(project)  # type: ignore[misc]
    assert len(mended.graph.nodes) > len(project.graph.nodes)
    assert len(mended.graph.edges) == len(mended.graph.nodes) - 1


def test_the_problem_says_what_arrived_from_where() -> None:
    _, problem = meeting("add", TensorInfo((64, 8, 8)), TensorInfo((128, 4, 4)))
    assert problem.arrived == (("xs", "64×8×8", "from input"), ("xs", "128×4×4", "from input2"))
    assert (problem.happened, problem.expected, problem.fix) == (FAULT.happened, FAULT.expected, FAULT.fix)


def test_a_skip_gets_a_convolution_with_the_right_stride() -> None:
    project, problem = meeting("add", TensorInfo((64, 8, 8)), TensorInfo((128, 4, 4)))
    fix = problem.fixes[0]
    assert (fix.title, fix.shape) == ("Put a 1×1 convolution on the skip", "128×4×4")
    mended = fix.apply(project)  # type: ignore[misc]
    made = mended.graph.of_type("conv2d")[0]
    assert made.params == {"filters": 128, "kernel": 1, "stride": 2}
    skip = next(node for node in project.graph.nodes.values() if node.name == "input")
    assert Edge(skip.id, "out", made.id, "x") in mended.graph.edges
    assert len(mended.graph.incoming(next(iter(mended.graph.nodes)))) == 2


def test_equal_maps_of_other_channels_can_also_be_concatenated() -> None:
    project, problem = meeting("add", TensorInfo((3, 8, 8)), TensorInfo((5, 8, 8)))
    assert [fix.title for fix in problem.fixes][-1] == "Concatenate them instead"
    mended = problem.fixes[-1].apply(project)  # type: ignore[misc]
    assert (problem.fixes[-1].shape, len(mended.graph.of_type("concatenate"))) == ("8×8×8", 1)


def test_vectors_meet_by_a_linear_layer_and_other_ranks_by_flattening() -> None:
    _, problem = meeting("add", TensorInfo((3,)), TensorInfo((5,)))
    assert (problem.fixes[0].title, problem.fixes[0].shape) == ("Put a Linear layer on the skip", "5")
    _, problem = meeting("concatenate", TensorInfo((1, 8, 8)), TensorInfo((16,)))
    assert (problem.fixes[0].title, problem.fixes[0].shape) == ("Flatten what comes from input", "80")
    _, problem = meeting("add", TensorInfo((1, 8, 8)), TensorInfo((16,)))
    assert problem.fixes == (), "64 numbers never fit 16"


def test_smaller_maps_are_enlarged_before_they_are_concatenated() -> None:
    project, problem = meeting("concatenate", TensorInfo((8, 16, 16)), TensorInfo((4, 8, 8)))
    titles = [fix.title for fix in problem.fixes]
    assert titles == ["Put a 1×1 convolution on the skip", "Enlarge what comes from input2"]
    mended = problem.fixes[1].apply(project)  # type: ignore[misc]
    assert mended.graph.of_type("upsample")[0].params == {"size": (16, 16)}


def test_whole_numbers_become_vectors_and_an_input_becomes_tokens() -> None:
    _, problem = meeting("linear", TensorInfo((12,), INT))
    assert problem.fixes[0].title == "Insert Embedding"
    project, problem = meeting("embedding", TensorInfo((12,), FLOAT))
    mended = problem.fixes[0].apply(project)  # type: ignore[misc]
    assert mended.graph.of_type("input")[0].params == {"kind": "tokens"}


def test_the_layers_own_advice_comes_first() -> None:
    graph, node = edits.add_node(Graph(), "", "linear")
    fault = Refusal("Too narrow.", "More", "Use 7 outputs.", {"units": 7})
    problem = shape_problem(node, find("layer", "linear"), [], fault, label="blocks.3.linear")
    assert (str(problem.where), problem.fixes[0].title, problem.fixes[0].detail) == (
        "blocks.3.linear", "Use 7 outputs", "units = 7",
    )  # fmt: skip
    mended = problem.fixes[0].apply(Project(graph=graph))  # type: ignore[misc]
    assert mended.graph.nodes[node.id].params == {"units": 7}


def test_an_unknown_layer_or_shape_gives_words_without_fixes() -> None:
    node = Node("k", "k", "kolmogorov")
    wire = Edge("a", "out", "k", "x")
    arrived = [Arrival("x", None, wire, Node("a", "a", "linear"))]
    problem = shape_problem(node, None, arrived, FAULT)
    assert (problem.fixes, problem.arrived) == ((), (("x", "unknown", "from a"),))


def test_every_offered_edit_can_be_applied() -> None:
    shapes = [(4,), (16,), (3, 8), (8, 3), (1, 8, 8), (3, 8, 8), (2, 4, 8, 8), (48,)]
    layers = ["linear", "conv1d", "conv2d", "conv3d", "lstm", "add", "concatenate", "batch_norm2d", "embedding"]
    tried = 0
    for layer in layers:
        for first in shapes:
            for second in shapes:
                several = layer in ("add", "concatenate")
                project, problem = meeting(layer, *(TensorInfo(s) for s in ((first, second) if several else (first,))))
                for fix in problem.fixes:
                    assert fix.apply is not None
                    fix.apply(project)
                    tried += 1
    assert tried > 100
