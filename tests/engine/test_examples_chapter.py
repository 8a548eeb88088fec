"""The experiments of the textbook chapter: the files are those of the table, open without errors, and count right."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.chapter_projects import EXPERIMENTS, FOLDER, project_of
from engine.examples import chapter_names, load_example
from engine.places import Places
from engine.problem import ProblemError, Severity
from engine.runtime.analyze import analyze
from engine.runtime.session import run
from engine.settings import set_value
from tests.engine.data_tools import shared

COUNTS = {
    "E05": (1_079_410, 0), "E06": (1_079_410, 0), "E08": (268_978, 2_368), "E09": (267_010, 800), "E11": (99_508, 0),
    "E12": (98_801, 0), "E13": (98_801, 0), "E15": (99_710, 0), "E33": (89_610, 0), "E34": (89_610, 0),
    "X8a": (500_210, 0), "X8c": (504_210, 4_000), "X8d": (500_210, 0), "X8e": (500_210, 0), "X8f": (500_210, 0),
}  # fmt: skip
"""Trainable and running numbers as the chapter prints them (Keras counts both together)."""


def test_every_experiment_of_the_table_has_its_file_and_no_file_is_left_over() -> None:
    assert chapter_names() == [f"chapter/{name}" for name in sorted(EXPERIMENTS)]
    wanted = {f"E{number:02d}" for number in range(1, 39)} - {"E29"} | {"H01", *(f"X8{part}" for part in "abcdef")}
    assert set(EXPERIMENTS) == wanted


@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_the_file_is_what_the_table_says_and_opens_without_errors(name: str, tmp_path: Path) -> None:
    from engine.projectfile import write_project

    made = load_example(f"chapter/{name}")
    write_project(project_of(name), tmp_path / "again.lwr")
    assert (tmp_path / "again.lwr").read_text() == (FOLDER / f"{name}.lwr").read_text()
    assert len(made.notes) > 50
    analysis = analyze(made)
    errors = [item for item in analysis.problems if item.severity is Severity.ERROR]
    assert errors == []
    assert analysis.source
    if name in COUNTS:
        assert (analysis.trainable, analysis.buffers) == COUNTS[name]


@pytest.mark.parametrize("name", ["E12", "E17", "E21", "E28", "E33", "E37", "E38"])
def test_an_experiment_trains_on_the_real_images(name: str, tmp_path: Path) -> None:
    images = shared("fashion-mnist")
    made = load_example(f"chapter/{name}")
    made = set_value(set_value(made, "recipe.epochs", "1"), "recipe.data.limit", "6500")
    *_, ended = run(made, runs=tmp_path, places=Places(folder=images), threads=1, device="cpu")
    assert ended.outcome == "completed", ended.problem


def test_an_unknown_experiment_says_which_there_are() -> None:
    with pytest.raises(ProblemError, match="chapter/E15"):
        load_example("chapter/E99")
