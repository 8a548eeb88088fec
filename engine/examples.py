"""The built-in projects, `resources/examples/*.lwr`, by name. Never writes."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from engine.problem import ProblemError, error
from engine.project import Project
from engine.projectfile import read_project

FIRST = "digits-mlp"
"""The one that opens when none is named."""


def example_names() -> list[str]:
    """Names of the built-in projects: the first one, then the others by alphabet."""
    found = [
        Path(item.name).stem for item in files("resources").joinpath("examples").iterdir() if item.name.endswith(".lwr")
    ]
    return sorted(found, key=lambda name: (name != FIRST, name))


def load_example(name: str) -> Project:
    """A built-in project; ProblemError lists the names when there is none of that name."""
    names = example_names()
    if name not in names:
        happened = f"There is no built-in project {name!r}"
        raise ProblemError(error(name, happened, f"One of {', '.join(names)}", "Choose one of these", code="example"))
    with as_file(files("resources").joinpath("examples", f"{name}.lwr")) as path:
        return read_project(path).project
