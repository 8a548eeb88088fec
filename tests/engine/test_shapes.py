"""Shape inference: what is known, what is not, and how little is evaluated again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.datafacts import DataFacts
from engine.graph import Edge, Graph, Node
from engine.project import Project
from engine.runtime.analyze import analyze
from engine.runtime.shapes import Memo, infer
from engine.source_facts import CallFacts, LevelFacts, instances
from engine.tensor import TensorInfo
from tests.engine.drawn import box, deep, draw, facts, group, linear_block


def call(level: LevelFacts, name: str) -> CallFacts:
    return next(item for item in level.calls if item.node.name == name)


def test_a_convolution_gives_the_shape_parameters_and_cost_of_the_text_book() -> None:
    graph = draw(
        box("image", "input"), box("conv", "conv2d", "image", filters=16, kernel=3, padding=1),
        box("out", "output", "conv"),
    )  # fmt: skip
    network = infer(graph, facts(x=(3, 32, 32)))
    assert network.outputs == (TensorInfo((16, 32, 32)),)
    assert network.parameters == 3 * 16 * 9 + 16
    assert network.multiply_adds == 3 * 16 * 9 * 32 * 32


def test_counters_of_batches_are_no_buffers() -> None:
    graph = draw(box("v", "input"), box("norm", "batch_norm1d", "v"), box("out", "output", "norm"))
    network = infer(graph, facts(x=(784,)))
    assert (network.parameters, network.buffers) == (2 * 784, 2 * 784)


def test_only_the_first_broken_layer_has_a_fault() -> None:
    graph = draw(
        box("v", "input"), box("conv", "conv2d", "v"), box("pool", "max_pool2d", "conv"),
        box("flat", "flatten", "pool"), box("out", "output", "flat"),
    )  # fmt: skip
    network = infer(graph, facts(x=(784,)))
    assert [item.node.name for item in network.calls if item.fault] == ["conv"]
    assert call(network, "flat").outputs == (None,)
    assert not network.ok


def test_a_missing_wire_makes_what_follows_unknown_without_a_fault() -> None:
    graph = draw(box("v", "input"), box("fc", "linear"), box("out", "output", "fc"))
    network = infer(graph, facts(x=(784,)))
    assert [item.fault for item in network.calls] == [None, None, None]
    assert network.outputs == (None,)


def test_a_circle_and_a_block_inside_itself_end_without_an_exception() -> None:
    nodes = {key: Node(key, key, "relu") for key in ("a", "b")}
    circle = Graph(nodes, (Edge("a", "out", "b", "x"), Edge("b", "out", "a", "x")))
    assert not infer(circle, facts(x=(3,))).ok
    inner = draw(box("x", "group_input"), box("y", "group_output", "x"), title="self")
    inner = replace(inner, nodes={**inner.nodes, "again": Node("again", "again", "group", definition="s")})
    graph = draw(box("v", "input"), group("s", "s", "v"), box("out", "output", "s"), inside={"s": inner})
    assert infer(graph, facts(x=(3,))).layers < 5


def test_data_that_was_not_read_is_said_at_the_input() -> None:
    graph = draw(box("v", "input"), box("out", "output", "v"))
    fault = call(infer(graph, None), "v").fault
    assert fault is not None
    assert "not been read" in fault.happened


def test_tokens_are_whole_numbers_until_they_are_embedded() -> None:
    graph = draw(
        box("text", "input", kind="tokens", shape=(12,)), box("words", "embedding", "text", vocabulary=50, width=8),
        box("mean", "mean", "words"), box("out", "output", "mean"),
    )  # fmt: skip
    network = infer(graph, DataFacts())
    assert call(network, "text").outputs == (TensorInfo((12,), "int64"),)
    assert call(network, "words").outputs == (TensorInfo((12, 8)),)
    assert network.outputs == (TensorInfo((8,)),)


@pytest.mark.parametrize("repeat", [3, 1000])
def test_copies_from_the_third_on_cost_nothing(repeat: int) -> None:
    memo = Memo()
    network = infer(deep(repeat), facts(x=(784,)), memo)
    # Two Linear, one ReLU (both copies see 100 values), one head.
    assert memo.evaluations == 4
    assert network.parameters == 78_500 + (repeat - 1) * 10_100 + 1_010
    assert network.layers == 2 * repeat + 1


def test_an_edit_among_five_hundred_layers_evaluates_only_what_it_touches() -> None:
    boxes = [box("v", "input")]
    for place in range(250):
        boxes.append(box(f"fc{place}", "linear", boxes[-1].name, units=50 + place))
        boxes.append(box(f"relu{place}", "relu", boxes[-1].name))
    graph = draw(*boxes, box("out", "output", boxes[-1].name))
    memo = Memo()
    infer(graph, facts(x=(20,)), memo)
    assert memo.evaluations == 500
    edited = replace(graph, nodes={**graph.nodes, "fc100": replace(graph.nodes["fc100"], params={"units": 7})})
    infer(edited, facts(x=(20,)), memo)
    assert memo.evaluations == 503, "the layer, its ReLU, and the Linear after it"
    moved = replace(edited, nodes={key: replace(node, x=node.x + 1) for key, node in edited.nodes.items()})
    infer(moved, facts(x=(20,)), memo)
    assert memo.evaluations == 503


def test_instance_paths_have_an_index_only_where_there_are_copies() -> None:
    inner = draw(
        box("x", "group_input"), group("one", "d", "x"), group("two", "d", "one", repeat=2),
        box("y", "group_output", "two"), inside={"d": linear_block()},
    )  # fmt: skip
    graph = draw(
        box("v", "input"), group("stage", "s", "v", repeat=2), box("out", "output", "stage"),
        inside={"s": inner, "d": linear_block()},
    )  # fmt: skip
    paths = [item.path for item in instances(infer(graph, facts(x=(5,)))) if item.call.node.type == "linear"]
    assert paths == [
        "stage.0.one.linear", "stage.0.two.0.linear", "stage.0.two.1.linear",
        "stage.1.one.linear", "stage.1.two.0.linear", "stage.1.two.1.linear",
    ]  # fmt: skip


def test_too_many_layers_are_refused_before_they_are_expanded() -> None:
    inner = draw(
        box("x", "group_input"), group("many", "d", "x", repeat=1000), box("y", "group_output", "many"),
        inside={"d": linear_block()},
    )  # fmt: skip
    graph = draw(
        box("v", "input"), group("stage", "s", "v", repeat=1000), box("out", "output", "stage"),
        inside={"s": inner, "d": linear_block()},
    )  # fmt: skip
    fault = call(infer(graph, facts(x=(100,))), "stage").fault
    assert fault is not None
    assert "20,000" in fault.happened


def ports_only(*repeats: int) -> Graph:
    """Stages in a chain, each so often a thousand blocks that hold two ports and no layer."""
    inner = draw(box("x", "group_input"), box("y", "group_output", "x"))
    middle = draw(
        box("x", "group_input"), group("many", "d", "x", repeat=1_000), box("y", "group_output", "many"),
        inside={"d": inner},
    )  # fmt: skip
    names = ["v", *(f"stage{place}" for place in range(len(repeats)))]
    stages = [group(names[place + 1], "m", names[place], repeat=count) for place, count in enumerate(repeats)]
    return draw(
        box("v", "input", shape=(3,)), *stages, box("out", "output", names[-1]), inside={"m": middle, "d": inner}
    )


def test_blocks_of_blocks_without_a_layer_are_refused_and_never_walked() -> None:
    graph = ports_only(1_000)
    fault = call(infer(graph, DataFacts()), "stage0").fault
    assert fault is not None
    assert "20,000" in fault.happened
    assert not analyze(Project(graph=graph)).source


def test_stages_that_are_too_many_together_are_refused() -> None:
    graph = ports_only(60, 60)
    network = infer(graph, DataFacts())
    assert not [item for item in network.calls if item.fault]
    assert network.size > 240_000
    (problem,) = [item for item in analyze(Project(graph=graph)).errors if "layers and ports" in item.happened]
    assert "Repeat less often" in problem.fix
    assert not analyze(Project(graph=graph)).source


def test_sharing_weights_with_a_layer_of_another_width_is_refused() -> None:
    graph = draw(
        box("a", "input", shape=(4,)), box("b", "input", shape=(5,)),
        box("left", "linear", "a", units=3), box("right", "linear", "b", more={"shares": "left"}),
        box("sum", "add", "left", "right"), box("out", "output", "sum"),
    )  # fmt: skip
    fault = call(infer(graph, DataFacts()), "right").fault
    assert fault is not None
    assert "shares the weights of left" in fault.happened


def test_a_block_can_be_called_twice_with_shapes_that_fit_its_weights() -> None:
    def twice(first: tuple[int, ...], second: tuple[int, ...], inner: str) -> LevelFacts:
        block = draw(box("x", "group_input"), box("layer", inner, "x"), box("y", "group_output", "layer"))
        graph = draw(
            box("a", "input", shape=first), box("b", "input", shape=second), group("one", "d", "a"),
            box("two", "group", "b", more={"definition": "d", "shares": "one"}),
            box("left", "output", "one"), box("right", "output", "two"), inside={"d": block},
        )  # fmt: skip
        return infer(graph, DataFacts())

    assert twice((3, 8, 8), (3, 20, 9), "conv2d").parameters == 3 * 32 * 9 + 32
    assert twice((3, 8, 8), (3, 20, 9), "conv2d").ok
    fault = call(twice((4,), (5,), "linear"), "two").fault
    assert fault is not None
    assert "another size" in fault.happened


def test_a_number_that_torch_cannot_hold_is_a_fault_and_no_exception() -> None:
    graph = draw(
        box("v", "input", shape=(2**24, 2**20)), box("flat", "flatten", "v"),
        box("fc", "linear", "flat", units=2**24), box("out", "output", "fc"),
    )  # fmt: skip
    assert not infer(graph, DataFacts()).ok


def test_a_repeated_block_must_hand_on_as_much_as_it_takes() -> None:
    split = draw(
        box("x", "group_input"), box("fc", "linear", "x"), box("p", "group_output", "fc"),
        box("q", "group_output", "fc"),
    )  # fmt: skip
    graph = draw(box("v", "input"), group("g", "s", "v", repeat=2), box("out", "output", "g.p"), inside={"s": split})
    fault = call(infer(graph, facts(x=(3,))), "g").fault
    assert fault is not None
    assert "1 inputs and 2 outputs" in fault.happened
