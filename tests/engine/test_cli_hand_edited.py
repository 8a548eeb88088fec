"""Project files that a person edited by hand, badly: whatever is in them, a command answers and never breaks."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.examples import load_example
from engine.projectfile import to_text
from tests.engine.cli_tools import command

EXAMPLES = ("digits-mlp", "digits-cnn", "two-inputs", "digits-lstm", "cifar-resnet", "fashion-mlp", "housing")
STATED = {
    "clip": {"type": "norm", "limit": 1.0}, "schedule": {"type": "cosine"}, "ema": {"type": "ema", "enabled": True},
    "callbacks": [{"type": "checkpoint", "every": 1}], "optimizer": {"type": "sgd", "lr": 0.1, "momentum": 0.9},
    "early_stopping": {"type": "early_stopping", "enabled": True, "patience": 3},
}  # fmt: skip
STRANGE: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 3, 2**31, 2**63, 1e308, -0.5, "", "x", "none", "relu", "linear", "sgd", "group", "é",
    "../x", "a.b", "\0", "9" * 50, [], [1], [1, 2, 3], {}, {"type": "relu"}, {"type": "sgd", "lr": 0}, ["accuracy"],
)  # fmt: skip
ADDED = ("type", "params", "units", "extra", "name", "repeat", "definition", "shares", "vary", "initializer")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in parsed JSON, but its top."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def harm(data: Any, draw: random.Random) -> None:
    """One careless change. Settings are hit more often than structure, which is nearly always refused at once."""
    found = [
        path for path in places(data)
        if (len(path) > 1 and path[0] in ("recipe", "data")) or "params" in path[:-1] or draw.random() < 0.1
    ]  # fmt: skip
    if not found:
        return
    *above, key = draw.choice(found)
    holder = data
    for part in above:
        holder = holder[part]
    kind = draw.random()
    if kind < 0.25:
        del holder[key]
    elif kind < 0.75:
        holder[key] = copy.deepcopy(draw.choice(STRANGE))
    elif kind < 0.85 and isinstance(holder, list):
        holder.append(copy.deepcopy(draw.choice(holder)))
    elif isinstance(holder, dict):
        holder[draw.choice(ADDED)] = copy.deepcopy(draw.choice(STRANGE))


@pytest.mark.parametrize("seed", range(4))
def test_a_file_changed_by_hand_is_understood_or_refused(
    seed: int, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAYERWRIGHT_HOME", str(tmp_path / "home"))
    draw = random.Random(seed)
    path, code = tmp_path / "p.lwr", tmp_path / "m.py"
    codes = []
    for _ in range(60):
        data = json.loads(to_text(load_example(draw.choice(EXAMPLES))))
        data["recipe"].update(copy.deepcopy(STATED))
        for _ in range(draw.choice((1, 1, 2, 3, 6))):
            harm(data, draw)
        path.write_text(json.dumps(data))
        checked = command(capsys, "check", path, "--json")  # a traceback or words that are no JSON fail in here
        written = command(capsys, "code", path, "-o", code)
        assert checked.code in (0, 1, 2)
        assert ("error:" in checked.err) == (checked.code == 2), checked.err
        assert written.code == checked.code or (checked.code, written.code) == (1, 0), data
        codes.append(checked.code)
    assert set(codes) == {0, 1, 2}, "some files hold, some have a fault inside, some are none"
