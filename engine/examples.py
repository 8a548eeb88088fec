"""The built-in projects, `resources/examples/*.lwr`, by name, and those of a textbook chapter. Never writes."""

from __future__ import annotations

from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path

from engine.problem import ProblemError, error
from engine.project import Project
from engine.projectfile import read_project

FIRST = "digits-mlp"
"""The one that opens when none is named."""
CHAPTER = "chapter"
"""Folder of the experiments of a chapter on training deep networks, each by the id that the chapter gives it."""


def example_names() -> list[str]:
    """Names of the built-in projects: the first one, then the others by alphabet."""
    return sorted(_names(_folder()), key=lambda name: (name != FIRST, name))


def chapter_names() -> list[str]:
    """Names of the chapter's experiments, such as `chapter/E15`, by alphabet."""
    return [f"{CHAPTER}/{name}" for name in sorted(_names(_folder().joinpath(CHAPTER)))]


def load_example(name: str) -> Project:
    """A built-in project, or an experiment of the chapter; ProblemError lists the names when there is none."""
    if name not in (*example_names(), *chapter_names()):
        happened = f"There is no built-in project {name!r}"
        expected = f"One of {', '.join(example_names())}, or an experiment such as {CHAPTER}/E15"
        raise ProblemError(error(name, happened, expected, "Choose one of these", code="example"))
    with as_file(_folder().joinpath(*f"{name}.lwr".split("/"))) as path:
        return read_project(path).project


def _folder() -> Traversable:
    return files("resources").joinpath("examples")


def _names(folder: Traversable) -> list[str]:
    return [Path(item.name).stem for item in folder.iterdir() if item.name.endswith(".lwr")]
