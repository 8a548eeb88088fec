"""One's own callbacks: found in the user's folder alone, read without running, broken ones told by file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import plugins
from engine.check import check_project
from engine.events import Alerted, RunEnded
from engine.examples import load_example
from engine.places import HOME, Places
from engine.plugins import find_class, list_plugins, load_class, make_plugin, plugins_folder
from engine.problem import Problem, ProblemError
from engine.project import Project
from engine.projectfile import write_project
from engine.runtime import checkpoint
from engine.runtime.session import run
from tests.engine.cli_tools import ROOT, command

LOGGER = '''"""What I note."""

from engine.callback import Callback, TrainingView


class Notes(Callback):
    """Notes losses into a file of the run."""

    def __init__(self, every: int = 1) -> None:
        self.every = every

    def on_epoch_end(self, view: TrainingView) -> None:
        if view.epoch % self.every == 0:
            with open(view.run / "notes.txt", "a") as stream:
                stream.write(f"{view.epoch} {view.figures['val_loss']:.3f}\\n")
            view.notify(f"noted {view.epoch}")
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME, str(tmp_path / "home"))
    place = plugins_folder()
    assert place == tmp_path / "home" / "config" / "plugins"
    place.mkdir(parents=True)
    return place


def digits(**callback: Any) -> Project:
    project = load_example("digits-mlp")
    for name, value in {"epochs": 2, "callbacks": ({"type": "plugin", **callback},)}.items():
        project = project.with_recipe(project.recipe.with_value(name, value))
    return project


def session(project: Project, root: Path, **more: Any) -> Any:
    return run(project, runs=root / "runs", places=Places(folder=root), threads=1, device="cpu", **more)


def refused(name: str) -> Problem:
    with pytest.raises(ProblemError) as caught:
        load_class(name)
    return caught.value.problem


def test_a_class_is_found_by_its_name_and_runs_beside_the_training(folder: Path, tmp_path: Path) -> None:
    (folder / "notes.py").write_text(LOGGER)
    (item,) = list_plugins()
    assert [(one.name, one.help) for one in item.classes] == [("Notes", "Notes losses into a file of the run.")]
    events = list(session(digits(name="Notes", settings='{"every": 2}'), tmp_path))
    assert [event.words for event in events if isinstance(event, Alerted)] == ["noted 2"]
    written = (Path(events[-1].run) / "notes.txt").read_text()
    assert written == f"2 {events[-1].final['val_loss']:.3f}\n"


def test_reading_the_folder_runs_nothing(folder: Path) -> None:
    (folder / "loud.py").write_text(LOGGER + "\nraise SystemExit('this must not run')\n")
    assert [one.name for one in find_class("Notes").classes] == ["Notes"]
    assert check_project(digits(name="Notes")) == []
    assert "line" in refused("Notes").where.label


@pytest.mark.parametrize(
    "name",
    ["notes.py", "../notes", "/tmp/notes.py", "plugins/notes.Notes", "C:\\notes", "", "Notes()", "__import__('os')"],
)
def test_a_project_that_names_a_path_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / "notes.py").write_text(LOGGER)
    (tmp_path / "notes.py").write_text("raise SystemExit('this must not run')")
    project = digits(name=name)
    found = [problem for problem in check_project(project) if problem.code == "plugin_name"]
    assert len(found) == 1
    assert str(folder) in found[0].happened
    assert [fix.title for fix in found[0].fixes] == ["Remove this callback"]
    assert found[0].fixes[0].apply(project).recipe.get("callbacks") == ()
    with pytest.raises(ProblemError):
        next(session(project, tmp_path))
    assert not (tmp_path / "runs").exists()


def test_files_beside_the_project_and_in_the_run_are_never_looked_at(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (tmp_path, tmp_path / "plugins", tmp_path / "runs"):
        place.mkdir(exist_ok=True)
        (place / "notes.py").write_text(LOGGER)
    monkeypatch.chdir(tmp_path)
    write_project(digits(name="Notes"), tmp_path / "project.lwr")
    found = [problem.code for problem in check_project(digits(name="Notes"))]
    assert "plugin_unknown" in found


BROKEN = {
    "no Python": ("class Notes(Callback:\n    pass\n", "line 1", "no Python"),
    "an import": ("import math\nimport no_such_module\n" + LOGGER.partition("\n\n")[2], "line 2", "no_such_module"),
    "a wrong base": (LOGGER.replace("Callback, TrainingView", "TrainingView").replace(
        "from engine", "class Callback:\n    pass\nfrom engine"), "", "no subclass"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_one_problem_with_file_and_line(
    case: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, line, words = BROKEN[case]
    (folder / "broken.py").write_text(text)
    (folder / "good.py").write_text(LOGGER.replace("Notes", "Others"))
    said = command(capsys, "plugins", "--json")
    assert said.code == 1
    rows = {row["file"]: row for row in said.lines[0]["files"]}
    assert rows["good.py"]["problem"] is None
    assert words in rows["broken.py"]["problem"]["happened"]
    assert line in rows["broken.py"]["problem"]["where"]
    assert said.err.count("broken.py") >= 1
    with pytest.raises(ProblemError) as caught:
        next(session(digits(name="Notes"), tmp_path))
    assert any("broken.py" in str(problem) for problem in caught.value.problems)
    assert not (tmp_path / "runs").exists()


def test_two_files_with_the_same_class_are_told(folder: Path) -> None:
    for name in ("one.py", "two.py"):
        (folder / name).write_text(LOGGER)
    problem = refused("Notes")
    assert (problem.code, "one.py and two.py" in problem.happened) == ("plugin_twice", True)


def test_settings_must_fit_the_class(folder: Path) -> None:
    (folder / "notes.py").write_text(LOGGER)
    assert make_plugin("Notes", {"every": 7}).every == 7
    with pytest.raises(ProblemError, match="unexpected keyword argument 'often'"):
        make_plugin("Notes", {"often": 7})
    bad = [problem for problem in check_project(digits(name="Notes", settings="[1]")) if "JSON" in problem.happened]
    assert len(bad) == 1
    assert bad[0].fixes[0].apply(digits(name="Notes", settings="[1]")).recipe.get("callbacks")[0]["settings"] == ""


def test_a_fault_while_training_names_file_and_line_and_the_run_goes_on_once_mended(
    folder: Path, tmp_path: Path
) -> None:
    text = LOGGER.replace("view.notify", "1 / 0\n            view.notify")
    (folder / "notes.py").write_text(text)
    ended = list(session(digits(name="Notes"), tmp_path))[-1]
    assert isinstance(ended, RunEnded)
    line = 1 + text.splitlines().index("            1 / 0")
    assert (ended.outcome, ended.problem["code"]) == ("failed", "callback_failed")
    assert ended.problem["where"] == f"notes.py, line {line}"
    assert "Notes.on_epoch_end raised ZeroDivisionError" in ended.problem["happened"]
    path = Path(ended.run)
    assert checkpoint.load(path / "checkpoints", "last").epoch == 1
    assert not (path / "crash.txt").exists()
    (folder / "notes.py").write_text(LOGGER)
    events = list(run(runs=path.parent, places=Places(folder=tmp_path), resume=path))
    assert (events[-1].outcome, events[-1].epoch) == ("completed", 2)


def test_a_class_under_another_name_of_the_base_is_found(folder: Path) -> None:
    (folder / "names.py").write_text(
        "import engine.callback\nfrom engine.callback import Callback as Base\n\n"
        "class First(Base):\n    pass\n\nclass Second(First):\n    pass\n\n"
        "class Third(engine.callback.Callback):\n    pass\n\nclass _Hidden(Base):\n    pass\n\nclass Other:\n    pass\n"
    )
    assert [one.name for one in list_plugins()[0].classes] == ["First", "Second", "Third"]
    assert plugins.file_of(load_class("Second")) == folder / "names.py"


def test_the_list_says_where_the_folder_is_when_it_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(HOME, str(tmp_path))
    said = command(capsys, "plugins")
    assert said.code == 0
    assert str(tmp_path / "config" / "plugins") in said.out


def test_the_example_of_the_readme_works(folder: Path, tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text("utf-8").partition("## Your own callback")[2]
    (folder / "plateau.py").write_text(text.partition("```python\n")[2].partition("```")[0])
    events = list(session(digits(name="Plateau", settings='{"epochs": 2, "less_than": 1e9}'), tmp_path))
    assert any("no movement for 2 epochs" in event.words for event in events if isinstance(event, Alerted))
    path = Path(events[-1].run)
    assert "plateau" in checkpoint.names(path / "checkpoints")
    more = list(run(runs=path.parent, places=Places(folder=tmp_path), resume=path, epochs=3))
    assert more[-1].outcome == "completed"
