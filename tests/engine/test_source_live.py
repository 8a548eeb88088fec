"""The generated text, executed, is the network that a person would have written by hand."""

from __future__ import annotations

import random
import warnings
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.graph import Graph
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from tests.engine.drawn import Box, box, deep, draw, facts, group, linear_block, project


class HandMLP(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        widths = [784, *[100] * 20]
        blocks = []
        for before, after in pairwise(widths):
            block = nn.Module()
            block.linear = nn.Linear(before, after)
            blocks.append(block)
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Linear(100, 10)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = F.relu(block.linear(x))
        return self.head(x)


class HandUShape(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(1, 4, 3, padding=1)
        nn.init.kaiming_uniform_(self.down.weight, nonlinearity="relu")
        nn.init.zeros_(self.down.bias)
        self.inner = nn.Conv2d(4, 4, 3, padding=1)
        nn.init.kaiming_uniform_(self.inner.weight, nonlinearity="relu")
        nn.init.zeros_(self.inner.bias)
        self.last = nn.Conv2d(8, 2, 1)
        nn.init.kaiming_uniform_(self.last.weight, nonlinearity="relu")
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor) -> Tensor:
        wide = self.down(x)
        deep = F.interpolate(self.inner(F.max_pool2d(wide, 2)), scale_factor=2, mode="nearest")
        return self.last(torch.cat((wide, deep), dim=1))


def u_shape() -> Graph:
    return draw(
        box("image", "input"),
        box("down", "conv2d", "image", filters=4, padding="same"),
        box("pool", "max_pool2d", "down"),
        box("inner", "conv2d", "pool", filters=4, padding="same"),
        box("up", "upsample", "inner"),
        box("both", "concatenate", "down", "up"),
        box("last", "conv2d", "both", filters=2, kernel=1),
        box("mask", "output", "last"),
        initializer={"type": "he_uniform"},
    )


@pytest.mark.parametrize(
    ("graph", "hand", "shape"),
    [(deep(), HandMLP, (784,)), (u_shape(), HandUShape, (1, 8, 8))],
    ids=["twenty blocks", "u shape"],
)
def test_the_same_seed_gives_the_same_weights_and_outputs_as_hand_written_code(
    graph: Graph, hand: type[nn.Module], shape: tuple[int, ...]
) -> None:
    torch.manual_seed(7)
    built = build(project(graph, facts(x=shape)))
    torch.manual_seed(7)
    written = hand()
    assert list(built.model.state_dict()) == list(written.state_dict())
    for name, weights in written.state_dict().items():
        assert torch.equal(weights, built.model.state_dict()[name]), name
    batch = torch.randn(5, *shape)
    assert torch.equal(built.model(batch), written(batch))


def test_two_inputs_and_two_outputs_keep_their_order_of_creation() -> None:
    graph = draw(
        box("b", "input", stream="second"), box("a", "input", stream="first"),
        box("left", "linear", "a", units=3), box("right", "linear", "b", units=2),
        box("one", "output", "left"), box("two", "output", "right"),
    )  # fmt: skip
    built = build(project(graph, facts(first=(4,), second=(6,))))
    assert built.inputs == ("second", "first")
    assert built.outputs == ("one", "two")
    one, two = built.model(torch.zeros(5, 6), torch.zeros(5, 4))
    assert (one.shape, two.shape) == ((5, 3), (5, 2))


def test_a_shared_layer_has_one_set_of_weights_and_is_called_twice() -> None:
    graph = draw(
        box("a", "input", shape=(4,)), box("b", "input", shape=(4,)),
        box("left", "linear", "a", units=3), box("right", "linear", "b", more={"shares": "left"}),
        box("sum", "add", "left", "right"), box("out", "output", "sum"),
    )  # fmt: skip
    analysis = analyze(project(graph, facts()))
    assert analysis.parameters == 4 * 3 + 3
    assert analysis.layers == ("left",)
    model = build(project(graph, facts()), analysis=analysis).model
    assert list(model.state_dict()) == ["left.weight", "left.bias"]
    x, y = torch.randn(2, 4), torch.randn(2, 4)
    assert torch.equal(model(x, y), model.left(x) + model.left(y))


def test_copies_draw_different_weights() -> None:
    built = build(project(deep(), facts(x=(784,))))
    assert not torch.equal(built.model.blocks[3].linear.weight, built.model.blocks[4].linear.weight)


def test_widths_that_vary_by_copy_are_those_of_the_copies() -> None:
    graph = deep(3, vary={"linear.units": (30, 20, 10)})
    model = build(project(graph, facts(x=(784,)))).model
    assert [block.linear.out_features for block in model.blocks] == [30, 20, 10]
    assert "Block(784, 30), Block(30, 20), Block(20, 10)" in analyze(project(graph, facts(x=(784,)))).source


def test_copies_that_differ_in_more_than_numbers_get_a_class_each() -> None:
    graph = deep(2, vary={"linear.bias": (True, False)})
    text = analyze(project(graph, facts(x=(100,)))).source
    assert "nn.Sequential(Block(), Block2())" in text


def test_a_layer_that_no_output_needs_is_not_written() -> None:
    graph = draw(
        box("x0", "input"), box("used", "linear", "x0", units=3), box("unused", "linear", "x0", units=9),
        box("out", "output", "used"),
    )  # fmt: skip
    analysis = analyze(project(graph, facts(x=(4,))))
    assert "unused" not in analysis.source
    assert analysis.parameters == 15
    assert analysis.nodes["", "unused"].output is not None


def test_decimal_names_outside_a_chain_keep_their_keys() -> None:
    graph = draw(
        box("x0", "input"), box("0", "linear", "x0", units=3), box("1", "linear", "x0", units=3),
        box("sum", "add", "0", "1"), box("out", "output", "sum"), initializer={"type": "he_normal"},
    )  # fmt: skip
    model = build(project(graph, facts(x=(4,)))).model
    assert sorted(model.state_dict()) == ["0.bias", "0.weight", "1.bias", "1.weight"]
    assert not model.get_submodule("1").bias.any()
    assert model(torch.zeros(2, 4)).shape == (2, 3)


def test_a_numbered_chain_is_a_sequential_all_through() -> None:
    graph = draw(
        box("x0", "input"), box("0", "linear", "x0", units=3), box("1", "relu", "0"), box("out", "output", "1")
    )
    built = build(project(graph, facts(x=(4,))))
    assert isinstance(built.model, nn.Sequential)
    assert list(built.model.state_dict()) == ["0.weight", "0.bias"]


def wild(seed: int) -> Graph:
    """A random network of vectors: branches, merges, nested and repeated groups."""
    chance = random.Random(seed)

    def level(depth: int, entry: str, leave: str) -> Graph:
        inside: dict[str, Graph] = {}
        boxes: list[Box] = [box("start", entry)]
        for place in range(chance.randint(2, 9)):
            name, feed = f"n{place}", chance.choice(boxes).name
            kind = chance.choice(["linear", "relu", "tanh", "add", "concatenate", "layer_norm", "group"])
            if kind == "group" and depth < 2:
                inner = level(depth + 1, "group_input", "group_output")
                inside |= {f"{name}_{key}": value for key, value in inner.definitions.items()}
                renamed = {
                    key: node if not node.definition else _renamed(node, name) for key, node in inner.nodes.items()
                }
                inside[name] = Graph(renamed, inner.edges, f"block {name}")
                boxes.append(group(name, name, feed, repeat=chance.randint(1, 3)))
            elif kind in ("add", "concatenate"):
                widths = (box(f"{name}a", "linear", feed, units=8), box(f"{name}b", "linear", boxes[0].name, units=8))
                boxes += [*widths, box(name, kind, f"{name}a", f"{name}b")]
            elif kind == "linear":
                boxes.append(box(name, "linear", feed, units=chance.randint(1, 12), bias=chance.random() < 0.5))
            else:
                boxes.append(box(name, kind if kind != "group" else "relu", feed))
        boxes.append(box("end", leave, boxes[-1].name))
        return draw(*boxes, inside=inside)

    return level(0, "input", "output")


def _renamed(node: object, prefix: str) -> object:
    from dataclasses import replace

    return replace(node, definition=f"{prefix}_{node.definition}")  # type: ignore[type-var, attr-defined]


@pytest.mark.parametrize("seed", range(30))
def test_any_drawn_network_runs_and_gives_the_shape_that_was_inferred(seed: int) -> None:
    drawn = project(wild(seed), facts(x=(5,)))
    analysis = analyze(drawn)
    assert analysis.source, analysis.problems
    built = build(drawn, analysis=analysis)
    counted = sum(parameter.numel() for parameter in built.model.parameters())
    assert counted == analysis.parameters
    (arrived,) = analysis.nodes["", "end"].inputs["x"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tuple(built.model(torch.randn(3, 5)).shape[1:]) == arrived.shape
    keys = {key.rpartition(".")[0] for key in built.model.state_dict()}
    assert keys == set(analysis.layers)


def test_generated_code_passes_the_formatter(tmp_path: object) -> None:
    import subprocess
    import sys
    from pathlib import Path

    folder = Path(str(tmp_path))
    graphs = [*(wild(seed) for seed in range(8)), deep(), u_shape()]
    data = [facts(x=(5,))] * 8 + [facts(x=(784,)), facts(x=(1, 8, 8))]
    for place, (graph, known) in enumerate(zip(graphs, data, strict=True)):
        (folder / f"m{place}.py").write_text(analyze(project(graph, known)).source, encoding="utf-8")
    for command in (["format", "--check"], ["check", "--select", "E,F,W,I,UP"]):
        run = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", "--line-length", "100", str(folder)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stdout + run.stderr


def test_a_block_of_numbered_layers_can_be_repeated_in_a_numbered_block() -> None:
    inner = draw(box("x", "group_input"), box("0", "linear", "x", units=4), box("y", "group_output", "0"))
    outer = draw(
        box("x", "group_input"), group("0", "inner", "x", repeat=2), box("1", "relu", "0"),
        box("y", "group_output", "1"), inside={"inner": inner},
    )  # fmt: skip
    graph = draw(
        box("x0", "input"), group("body", "outer", "x0", repeat=2), box("out", "output", "body"),
        inside={"inner": inner, "outer": outer}, initializer={"type": "zeros"},
    )  # fmt: skip
    model = build(project(graph, facts(x=(3,)))).model
    assert list(model.state_dict())[::2] == [f"body.{i}.0.{k}.0.weight" for i in range(2) for k in range(2)]
    assert not any(bool(weights.any()) for weights in model.state_dict().values())


def test_a_deep_network_of_blocks_equals_its_parts() -> None:
    graph = draw(
        box("x0", "input"), group("one", "d", "x0"), box("out", "output", "one"), inside={"d": linear_block(6)}
    )
    model = build(project(graph, facts(x=(4,)))).model
    assert list(model.state_dict()) == ["one.linear.weight", "one.linear.bias"]
