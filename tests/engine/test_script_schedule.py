"""Schedules as the training script has them give the very rates of the declarations, at every step."""

from __future__ import annotations

import math
from typing import Any

import pytest

from engine.declare import catalogue, make
from engine.progress import Progress
from engine.script_schedule import momentum_lines, rate_lines

EACH, EPOCHS = 7, 6
VARIANTS: list[dict[str, Any]] = [
    {"type": "constant"}, {"type": "step", "every": 2}, {"type": "power", "s": 2.0},
    {"type": "power", "s": 9.0, "unit": "steps", "per": "epoch", "staircase": True, "power": 1.5},
    {"type": "exponential", "every": 3.0}, {"type": "exponential", "every": 5.0, "unit": "steps", "staircase": True},
    {"type": "piecewise", "boundaries": (1.0, 3.5), "values": (1.0, 0.3, 0.1)},
    {"type": "cosine"}, {"type": "cosine", "warmup": 1.5, "least": 0.1, "per": "epoch"},
    {"type": "polynomial"}, {"type": "polynomial", "power": 0.9, "least": 0.05, "length": 4.0},
    {"type": "warmup", "length": 2.0}, {"type": "warmup", "start": 0.3, "unit": "steps", "length": 5.0},
    {"type": "inverse_sqrt"}, {"type": "inverse_sqrt", "warmup": 2.0, "per": "epoch"},
    {"type": "one_cycle"}, {"type": "one_cycle", "legs": "cosine", "tail": 0.0, "cycle_momentum": True},
    {"type": "cosine_restarts", "first": 1.0}, {"type": "cosine_restarts", "first": 1.0, "times": 1, "least": 0.2},
    {"type": "cyclical", "half": 1.0}, {"type": "cyclical", "half": 1.0, "mode": "triangular2", "per": "epoch"},
    {"type": "cyclical", "half": 3.0, "unit": "steps", "mode": "exp_range", "gamma": 0.97, "low": 0.2},
    {"type": "chain", "parts": ({"type": "warmup", "length": 1.0}, {"type": "constant"}, {"type": "cosine"}),
     "lengths": (1.0, 1.5)},
    {"type": "chain", "parts": ({"type": "warmup"}, {"type": "cosine", "least": 0.1}), "lengths": (1.0, 2.0)},
]  # fmt: skip
NOT_WRITTEN = {"plateau", "formula"}
"""The one that answers to figures stands in the loop itself; a person's own formula is told as not repeated."""


def run(lines: list[str]) -> Any:
    scope: dict[str, Any] = {"math": math}
    exec("def rate(step):\n" + "\n".join(f"    {line}" for line in lines), scope)
    return scope["rate"]


@pytest.mark.parametrize("tagged", VARIANTS, ids=lambda item: "-".join(map(str, item.values()))[:60])
def test_the_script_has_the_rates_of_the_training_to_the_last_bit(tagged: dict[str, Any]) -> None:
    schedule = make("schedule", tagged)
    plan = Progress.at(0, steps_per_epoch=EACH, epochs=EPOCHS)
    lines = rate_lines(schedule, tagged["type"], plan)
    assert lines is not None
    rate = run(lines)
    moved = momentum_lines(schedule, tagged["type"], plan)
    assert (moved is not None) is schedule.moves_momentum
    for step in range(EACH * EPOCHS):
        progress = Progress.at(step, steps_per_epoch=EACH, epochs=EPOCHS)
        assert rate(step) == schedule.factor(progress), step
        if moved:
            assert run(moved)(step) == schedule.momentum(progress), step


def test_every_schedule_is_tried() -> None:
    known = set(catalogue().all("schedule"))
    assert {item["type"] for item in VARIANTS} | NOT_WRITTEN == known
