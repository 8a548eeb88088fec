"""The parameter counts that the textbook chapter prints, from graphs drawn here layer by layer.

Keras counts running means and variances among the parameters, as "non-trainable"; torch keeps them as buffers. What is
shown here is trainable and not trained, whose sum is Keras's total.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.graph import Graph
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.runtime.setup import freeze
from tests.engine.cli_tools import command
from tests.engine.drawn import Box, box, draw, facts, group, project

IMAGE, COLOUR = (1, 28, 28), (3, 32, 32)


def chain(*layers: tuple[str, str, dict[str, Any]], inside: dict[str, Graph] | None = None) -> Graph:
    """Layers one after the other between an input and an output; images are flattened first."""
    boxes = [box("image", "input"), box("flat", "flatten", "image")]
    for name, kind, settings in layers:
        repeat = settings.get("repeat")
        boxes.append(
            group(name, "block", boxes[-1].name, repeat=repeat)
            if repeat
            else Box(name, kind, (boxes[-1].name,), settings)
        )
    return draw(*boxes, box("out", "output", boxes[-1].name), inside=inside)


def dense(units: int, name: str, **more: Any) -> tuple[str, str, dict[str, Any]]:
    return name, "linear", {"units": units, **more}


def stacked(count: int, activation: str, *, outputs: int = 10, norm: bool = False) -> Graph:
    """`count` times Linear 100, a batch norm if asked, and an activation."""
    boxes = [box("x0", "group_input"), box("linear", "linear", "x0", units=100)]
    if norm:
        boxes.append(box("norm", "batch_norm1d", "linear"))
    boxes.append(box("act", activation, boxes[-1].name))
    block = draw(*boxes, box("y", "group_output", "act"), title="block")
    return chain(("blocks", "group", {"repeat": count}), dense(outputs, "head"), inside={"block": block})


def norm(name: str) -> tuple[str, str, dict[str, Any]]:
    return name, "batch_norm1d", {"momentum": 0.01, "eps": 1e-3}


def relu(name: str) -> tuple[str, str, dict[str, Any]]:
    return name, "relu", {}


GRAPHS: dict[str, tuple[Graph, tuple[int, ...], int, int]] = {
    "base MLP, 3 × 100": (stacked(3, "relu"), IMAGE, 99_710, 0),
    "A, eight classes": (stacked(3, "relu", outputs=8), IMAGE, 99_508, 0),
    "B, yes or no": (stacked(3, "relu", outputs=1), IMAGE, 98_801, 0),
    "2 × 100": (stacked(2, "relu"), IMAGE, 89_610, 0),
    "SELU, 100 layers": (stacked(100, "selu"), IMAGE, 1_079_410, 0),
    "ReLU, 100 layers": (stacked(100, "relu"), IMAGE, 1_079_410, 0),
    "BN after": (
        chain(norm("n0"), dense(300, "a"), relu("ra"), norm("n1"), dense(100, "b"), relu("rb"), norm("n2"),
              dense(10, "head")),
        IMAGE, 271_346, 2_368,
    ),
    "BN before": (
        chain(dense(300, "a", bias=False), norm("n1"), relu("ra"), dense(100, "b", bias=False), norm("n2"), relu("rb"),
              dense(10, "head")),
        IMAGE, 267_810, 800,
    ),
    "X8a, swish": (stacked(20, "silu"), COLOUR, 500_210, 0),
    "X8d, SELU": (stacked(20, "selu"), COLOUR, 500_210, 0),
    "X8c, BN": (stacked(20, "silu", norm=True), COLOUR, 508_210, 4_000),
}  # fmt: skip
"""Graph, sample, Keras's total, and how many of it are not trained."""


@pytest.mark.parametrize("name", GRAPHS)
def test_counts_are_those_of_the_chapter(name: str) -> None:
    graph, shape, total, still = GRAPHS[name]
    made = project(graph, facts(image=shape), "counted")
    found = analyze(made)
    assert not found.errors
    assert (found.trainable + found.buffers, found.buffers, found.parameters) == (total, still, total - still)
    model = build(made).model
    assert sum(item.numel() for item in model.parameters()) == total - still
    counted = {name: item for name, item in model.named_buffers() if not name.endswith("num_batches_tracked")}
    assert sum(item.numel() for item in counted.values()) == still


def test_with_its_hidden_layers_frozen_b_trains_the_101_numbers_of_its_head() -> None:
    graph, shape, total, _ = GRAPHS["B, yes or no"]
    model = build(project(graph, facts(image=shape))).model
    freeze(model, {"frozen": [name for name, _ in model.named_parameters() if not name.startswith("head.")]})
    sizes = [item.numel() for item in model.parameters() if item.requires_grad]
    assert (sum(sizes), sum(item.numel() for item in model.parameters())) == (101, total)


def test_the_command_tells_trained_and_not_trained_of_each_layer_and_of_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, _, total, still = GRAPHS["BN after"]
    said = command(capsys, "check", "chapter/E08", "--json").lines[0]
    assert said["totals"]["trainable"] + said["totals"]["non_trainable"] == total
    assert said["totals"]["non_trainable"] == still
    norms = [(row["trainable"], row["non_trainable"]) for row in said["nodes"] if row["type"] == "batch_norm1d"]
    assert norms == [(1_568, 1_568), (600, 600), (200, 200)]
    assert "2,368 numbers that are not trained" in command(capsys, "check", "chapter/E08").out
