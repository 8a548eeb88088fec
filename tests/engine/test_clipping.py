"""Every way to clip against its formula in double precision, what is told about it, and the demonstration's vector."""

from __future__ import annotations

from math import degrees
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.clip_vector import EXAMPLE, clip_vector
from engine.declare import make
from engine.edits import set_repeat
from engine.events import Clipped
from engine.examples import example_names, load_example
from engine.expr import name
from engine.last_layers import last_layers
from engine.recipe import Recipe
from engine.runtime.analyze import analyze
from engine.runtime.clipping import Clipping
from engine.runtime.clipping_ways import Layout
from engine.runtime.meta import namespace
from engine.timeline import Timeline
from tests.engine.fakes import recipe, trained, training

SHAPES = {"linear": (5, 7), "bias": (5,), "convolution": (4, 3, 3, 3), "upsampling": (3, 4, 2, 2), "factor": ()}
TRANSPOSED = "upsampling"


def parameters(scale: float = 1.0) -> dict[str, nn.Parameter]:
    draw = torch.Generator().manual_seed(3)
    made = {}
    for key, shape in SHAPES.items():
        made[key] = nn.Parameter(torch.randn(shape, generator=draw, dtype=torch.float64))
        made[key].grad = scale * torch.randn(shape, generator=draw, dtype=torch.float64)
    return made


def clipping(tagged: dict[str, Any], layout: Layout | None = None) -> Clipping:
    made = Clipping.of(Recipe().with_value("clip", tagged), layout)
    assert made is not None
    return made


def by_hand(tagged: dict[str, Any], values: dict[str, np.ndarray], grads: dict[str, np.ndarray]) -> dict[str, Any]:
    """The formulas as their sources state them."""
    limit = tagged["limit"]
    if tagged["type"] == "value":
        return {key: np.clip(grad, -limit, limit) for key, grad in grads.items()}
    if tagged["type"] == "norm":
        norm = np.sqrt(sum((grad**2).sum() for grad in grads.values()))
        return {key: grad * min(1.0, limit / (norm + 1e-6)) for key, grad in grads.items()}
    if tagged["type"] == "norm_each":
        return {
            key: grad * min(1.0, limit / (np.sqrt((grad**2).sum()) + 1e-6)) for key, grad in grads.items()
        }  # fmt: skip
    found = {}
    for key, grad in grads.items():
        first = np.moveaxis(grad, 1, 0) if key == TRANSPOSED else grad
        weight = np.moveaxis(values[key], 1, 0) if key == TRANSPOSED else values[key]
        rows = first.reshape(len(first), -1) if first.ndim > 1 else first.reshape(1, -1)
        own = weight.reshape(rows.shape)
        result = np.empty_like(rows)
        for index, (row, unit) in enumerate(zip(rows, own, strict=True)):
            allowed = limit * max(np.linalg.norm(unit), tagged.get("eps", 1e-3))
            size = np.linalg.norm(row)
            result[index] = row * (allowed / size) if size > allowed else row
        result = result.reshape(first.shape)
        found[key] = np.moveaxis(result, 0, 1) if key == TRANSPOSED else result
    return found


WAYS = [
    {"type": "value", "limit": 0.7}, {"type": "norm", "limit": 2.0}, {"type": "norm_each", "limit": 1.5},
    {"type": "adaptive", "limit": 0.6}, {"type": "adaptive", "limit": 0.2, "eps": 1.0},
]  # fmt: skip


@pytest.mark.parametrize("scale", [1.0, 1e-3])
@pytest.mark.parametrize("tagged", WAYS, ids=lambda item: "-".join(map(str, item.values())))
def test_every_way_follows_its_formula(tagged: dict[str, Any], scale: float) -> None:
    items = parameters(scale)
    values = {key: item.detach().numpy().copy() for key, item in items.items()}
    grads = {key: item.grad.numpy().copy() for key, item in items.items()}
    clipping(tagged, Layout(transposed={id(items[TRANSPOSED])})).clip(list(items.values()))
    for key, wanted in by_hand(tagged, values, grads).items():
        np.testing.assert_allclose(items[key].grad.numpy(), wanted, rtol=1e-10, atol=1e-14, err_msg=key)
        assert scale == 1.0 or np.array_equal(items[key].grad.numpy(), grads[key]) == np.array_equal(wanted, grads[key])


@pytest.mark.parametrize("tagged", WAYS[:4], ids=lambda item: item["type"])
def test_the_script_of_an_export_clips_as_the_training_does(tagged: dict[str, Any]) -> None:
    ours, theirs = parameters(), parameters()
    for items in (ours, theirs):
        del items[TRANSPOSED]  # the script knows parameters only, not which convolution they belong to
    clipping(tagged).clip(list(ours.values()))
    recorded = make("clip", tagged).apply(name("parameters"))
    eval(recorded.text, namespace(recorded.helpers) | {"parameters": list(theirs.values())})
    for key, item in ours.items():
        torch.testing.assert_close(item.grad, theirs[key].grad, rtol=1e-12, atol=0)


def test_adaptive_clipping_leaves_output_layers_alone() -> None:
    items = parameters()
    before = items["linear"].grad.clone()
    clipping({"type": "adaptive", "limit": 1e-4}, Layout(exempt={id(items["linear"])})).clip(list(items.values()))
    assert torch.equal(items["linear"].grad, before)
    assert items["bias"].grad.norm() < 1e-3


def test_what_is_told_counts_the_steps_and_how_much_was_left() -> None:
    made = clipping({"type": "norm", "limit": 1.0})
    norms = [0.5, 2.0, 4.0, 0.25]
    for norm in norms * 100:  # more than are kept waiting
        parameter = nn.Parameter(torch.zeros(4, dtype=torch.float64))
        parameter.grad = torch.full((4,), norm / 2, dtype=torch.float64)
        made.clip([parameter])
    count, steps, largest, factor = made.take()
    assert (count, steps) == (200, 400)
    assert largest == pytest.approx(4.0)
    assert factor == pytest.approx((1 / 2 + 1 / 4) / 2, rel=1e-5)
    assert made.take() == (0, 0, 0.0, 1.0)


@pytest.mark.parametrize("tagged", WAYS[:4], ids=lambda item: item["type"])
def test_the_factor_is_what_was_left_of_the_gradient(tagged: dict[str, Any]) -> None:
    items = parameters()
    before = torch.cat([item.grad.flatten() for item in items.values()])
    made = clipping(tagged, Layout(transposed={id(items[TRANSPOSED])}))
    made.clip(list(items.values()))
    after = torch.cat([item.grad.flatten() for item in items.values()])
    told = made.take()
    wanted = after.norm() / before.norm() if tagged["type"] != "value" else 0.7 / before.abs().max()
    assert (told.hits, told.steps) == (1, 1)
    assert told.factor == pytest.approx(wanted.item(), rel=1e-9)


def test_an_overflow_of_sixteen_bits_is_no_size() -> None:
    made = clipping({"type": "norm", "limit": 1.0})
    made.leave_out_infinite = True
    for value in (float("inf"), 3.0):
        parameter = nn.Parameter(torch.zeros(1))
        parameter.grad = torch.tensor([value])
        made.clip([parameter])
    assert made.take()[:3] == (1, 2, 3.0)


def test_reports_come_also_from_steps_where_nothing_was_cut_and_fill_the_series() -> None:
    events = trained(training(recipe(clip={"type": "norm_each", "limit": 1e6}), epochs=1))
    told = [event for event in events if isinstance(event, Clipped)]
    assert told
    assert sum(event.steps for event in told) == 10
    assert all((event.count, event.factor) == (0, 1.0) and event.norm > 0 for event in told)
    timeline = Timeline.from_events([*told, Clipped(11, 2, 3, 7.0, 4, 0.5), Clipped(12, 2, 1, 8.0)])
    assert timeline.num_clipped == 4
    assert timeline.clipped.points()[1].tolist() == [7.0, 8.0]
    assert timeline.clip_share.points()[1].tolist() == [0.0] * len(told) + [0.75]
    assert timeline.clip_factor.points()[1].tolist() == [0.5]  # only where something was cut
    assert len(timeline.clip_norm.points()[0]) == len(told) + 2


def test_the_textbook_vector_turns_by_value_and_keeps_its_direction_by_norm() -> None:
    value, norm = clip_vector(EXAMPLE, "value", 1.0), clip_vector(EXAMPLE, "norm", 1.0)
    assert value.after == (0.9, 1.0)
    assert norm.after == pytest.approx((0.00899964, 0.9999595), rel=1e-6)
    assert [round(angle, 1) for angle in value.angles] == [89.5, 48.0]
    assert [round(angle, 1) for angle in norm.angles] == [89.5, 89.5]
    assert value.turned == pytest.approx(degrees(np.arctan2(100, 0.9) - np.arctan2(1, 0.9)), abs=1e-9)
    assert norm.turned == pytest.approx(0.0, abs=1e-9)
    assert norm.factor == pytest.approx(1 / np.hypot(0.9, 100), rel=1e-6)
    assert clip_vector((0.0, 0.0), "norm", 1.0).turned == 0.0
    with pytest.raises(ValueError, match="no way to clip"):
        clip_vector(EXAMPLE, "sideways", 1.0)


@pytest.mark.parametrize("mode", ["none", "value", "norm", "norm_each", "adaptive"])
def test_the_demonstration_shows_what_the_training_does(mode: str) -> None:
    weights = (0.3, 0.4)
    parameter = nn.Parameter(torch.tensor(weights, dtype=torch.float64))
    parameter.grad = torch.tensor(EXAMPLE, dtype=torch.float64)
    made = Clipping.of(Recipe().with_value("clip", {"type": mode} | ({} if mode == "none" else {"limit": 0.25})))
    if made is not None:
        made.clip([parameter])
    shown = clip_vector(EXAMPLE, mode, 0.25, weights=weights)
    assert parameter.grad.tolist() == pytest.approx(list(shown.after), rel=1e-12)


@pytest.mark.parametrize("example", example_names())
def test_the_last_layers_are_those_that_answer(example: str) -> None:
    project = load_example(example)
    layers = analyze(project).layers
    if not layers:
        pytest.skip("shapes need the data")
    found = last_layers(project.graph, layers)
    assert found <= set(layers)
    assert layers[-1] in found


def test_the_last_layer_may_stand_in_the_last_copy_of_a_block() -> None:
    projects = (load_example(example) for example in example_names())
    project = next(item for item in projects if any(node.is_group for node in item.graph.nodes.values()))
    group = next(node for node in project.graph.nodes.values() if node.is_group)
    graph = set_repeat(project.graph, "", group.id, 3)
    inside = {f"{group.name}.{copy}.{node.name}" for copy in range(3)
              for node in graph.definitions[group.definition].nodes.values()}  # fmt: skip
    # Were nothing after the block weighted, the last copy would answer, and only that.
    found = last_layers(graph, inside)
    assert found
    assert all(path.startswith(f"{group.name}.2.") for path in found)
