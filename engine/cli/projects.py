"""What PROJECT and RUN mean on the command line, and where data and runs are looked for."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from engine.cli.outcome import Unusable, usable
from engine.cli.output import Output
from engine.examples import chapter_names, example_names, load_example
from engine.known import known_data
from engine.places import Places, default_places, runs_folder
from engine.problem import Problem, ProblemError, Severity, Where, error
from engine.project import Project
from engine.projectfile import read_project
from engine.runfiles import INFO, RunInfo
from engine.runs import find_run, list_runs, read_info
from engine.settings import set_value


class Opened(NamedTuple):
    """A project and the file it came from; built-in ones have none."""

    project: Project
    path: Path | None
    problems: tuple[Problem, ...] = ()
    """What was noticed while reading the file, such as a newer format."""


def open_project(options: Namespace, output: Output, *, tell: bool = True) -> Opened:
    """The project that was named, with the settings given by `--set`. Unusable when there is none.

    With `tell`, what was noticed while reading is said at once; otherwise the caller does it.
    """
    with usable():
        opened = _named(options.project)
        for problem in opened.problems if tell else ():
            if problem.severity is not Severity.ADVICE:
                output.say(str(problem))
        project = opened.project
        for path, value in options.settings:
            project = set_value(project, path, value)
        # Facts found with other data or preprocessing would give shapes that are not true any more.
        return opened._replace(project=replace(project, data=known_data(project)))


def is_project(text: str) -> bool:
    """True when the text names a project file or a built-in project."""
    return Path(text).suffix == ".lwr" or text in (*example_names(), *chapter_names())


def num_runs(options: Namespace, text: str) -> int:
    """How many runs have the text as their exact name, id or folder."""
    if (Path(text) / INFO).is_file():
        return 1
    return sum(text in (info.name, info.id, info.path.name) for info in all_runs(options))


def _named(text: str) -> Opened:
    path = Path(text).expanduser()
    if not path.exists() and text in (*example_names(), *chapter_names()):
        return Opened(load_example(text), None)
    if path.is_dir():
        raise ProblemError(error(Where(label=text, file=text), "This is a folder", "A project file, *.lwr",
                                 "Name a file in it", code="project"))  # fmt: skip
    if not path.exists():
        near = get_close_matches(text, (*example_names(), *chapter_names()), 1)
        guess = f"; did you mean {near[0]!r}?" if near else ""
        raise ProblemError(
            error(Where(label=text, file=text), f"There is no such file and no built-in project of that name{guess}",
                  f"A project file (*.lwr) or one of {', '.join(example_names())}", "Check the name", code="project")
        )  # fmt: skip
    loaded = read_project(path)
    return Opened(loaded.project, path, loaded.problems)


def places_for(options: Namespace, path: Path | None) -> Places:
    """Where data is looked for: `--data`, beside the project, the data folder of the settings."""
    with usable():
        data: Path | None = options.data
        if data is not None and not data.is_dir():
            raise ProblemError(error(Where(label="--data", file=str(data)), f"There is no folder {data}", "A folder",
                                     "Make it, or name another", code="arguments"))  # fmt: skip
        return default_places(path, data)


def place_of_runs(options: Namespace, path: Path | None) -> Path:
    """The folder that a new run goes to."""
    return _given_runs(options) or runs_folder(path)


def run_folders(options: Namespace) -> list[Path]:
    """The folders in which runs are looked for: `--runs`, else `runs` right here and that of unsaved projects."""
    if given := _given_runs(options):
        return [given]
    here = Path("runs")
    return [folder for folder in (here, runs_folder(None)) if folder != here or here.is_dir()]


def open_run(options: Namespace, text: str) -> Path:
    """The run that was named; Unusable when there is none or several fit."""
    with usable():
        folders = run_folders(options)
        for folder in folders[:-1]:
            if any(_may_be(info, text) for info in list_runs(folder)):
                return find_run(folder, text)
        return find_run(folders[-1], text)


def all_runs(options: Namespace) -> list[RunInfo]:
    """Every run of the folders, newest first."""
    found = [info for folder in run_folders(options) for info in list_runs(folder)]
    return sorted(found, key=lambda info: info.created, reverse=True)


def info_of(path: Path) -> RunInfo:
    """What is known of a run; Unusable when it cannot be read."""
    with usable():
        return read_info(path)


def _given_runs(options: Namespace) -> Path | None:
    """The folder of `--runs`, which need not exist yet; Unusable when it is something else."""
    given: Path | None = options.runs
    if given is not None and given.exists() and not given.is_dir():
        where = Where(label="--runs", file=str(given))
        raise Unusable(error(where, f"{given} is no folder", "A folder for runs", "Name another", code="arguments"))
    return given


def _may_be(info: RunInfo, text: str) -> bool:
    return bool(text) and any(word.startswith(text) for word in (info.path.name, info.name, info.id))
