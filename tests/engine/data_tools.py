"""What the tests of data share: recipes in one line, places in a temporary folder, the real data if present."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.places import Places
from engine.problem import Problem, ProblemError
from engine.recipe import Recipe

SHARED = Path(__file__).parents[3] / "shared" / "data"


def recipe(data: Any, *, augment: Any = (), **preprocess: Any) -> Recipe:
    """A recipe with this data, these augmentations and this preprocessing."""
    tagged = {"type": data} if isinstance(data, str) else data
    return Recipe({"data": tagged, "augment": augment, "preprocess": {"type": "preprocess", **preprocess}})


def places(folder: Path) -> Places:
    """Data is looked for in this folder only."""
    return Places(folder=folder)


def shared(name: str) -> Path:
    """A file or folder of the real data; the test is skipped, saying so, where it is absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the real data {name} is not beside this checkout")
    return path


def refusal(work: Any) -> Problem:
    """The problem with which `work()` refuses; its four parts are filled."""
    with pytest.raises(ProblemError) as caught:
        work()
    problem = caught.value.problem
    assert problem.happened
    assert problem.expected
    assert problem.fix
    assert problem.code
    return problem


class Flag:
    """A cancel flag that is set after it was asked so many times."""

    def __init__(self, after: int = 0) -> None:
        self.left = after

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0
