"""Run folders: made whole or not at all, listed by a scan, found by name, read back after a crash, compared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from math import isinf
from pathlib import Path

import pytest

from engine.events import EpochEnded, Event, RunEnded, RunResumed, RunStarted, Step, to_json
from engine.examples import load_example
from engine.problem import ProblemError
from engine.runs import (
    RunInfo,
    annotate_run,
    compare_runs,
    create_run,
    delete_run,
    find_run,
    is_alive,
    list_runs,
    own,
    read_events,
    read_info,
    rename_run,
    update_info,
    write_info,
)
from tests.work import steps


def made(folder: Path, name: str = "first", **values: object) -> RunInfo:
    info = create_run(folder, load_example("digits-mlp"), info=RunInfo(name=name, status="completed"), source="x = 1\n")
    return update_info(info.path, **values) if values else info


def write(folder: Path, events: list[Event], tail: str = "") -> None:
    lines = "".join(json.dumps(to_json(event)) + "\n" for event in events)
    (folder / "events.jsonl").write_text(lines + tail)


def test_a_new_run_holds_project_source_and_what_is_known(tmp_path: Path) -> None:
    info = made(tmp_path, "My run / 1", seed=7)
    assert info.path.parent == tmp_path
    assert info.path.name.split("-", 2)[2] == f"My-run-1-{info.id}"
    assert (info.path / "model.py").read_text() == "x = 1\n"
    assert read_info(info.path) == info
    assert info.project == "digits-mlp"


def test_a_run_that_cannot_be_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.runfiles.os.fsync", full)
    with pytest.raises(ProblemError, match="No space left"):
        made(tmp_path)
    assert not list(tmp_path.iterdir())


def test_numbers_that_are_not_finite_survive_the_file_and_names_stay_text(tmp_path: Path) -> None:
    info = made(tmp_path, "inf", final={"val_loss": float("inf")}, note="nan")
    back = read_info(info.path)
    assert isinf(back.final["val_loss"])
    assert (back.name, back.note) == ("inf", "nan")


def test_a_run_marked_running_without_an_owner_is_interrupted(tmp_path: Path) -> None:
    info = made(tmp_path, status="running")
    assert read_info(info.path).status == "interrupted"
    lock = own(info.path)
    update_info(info.path, status="running")
    assert is_alive(info.path)
    assert read_info(info.path).status == "running"
    with pytest.raises(ProblemError, match="training right now"):
        own(info.path)
    lock.release()
    assert not is_alive(info.path)
    assert list_runs(tmp_path)[0].status == "interrupted"


def test_a_killed_owner_frees_its_run(tmp_path: Path) -> None:
    info = made(tmp_path)
    code = (
        "import sys,time; from pathlib import Path; from engine.runs import own; "
        "lock = own(Path(sys.argv[1])); print('owned', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(info.path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "owned\n"
    update_info(info.path, status="running")
    assert read_info(info.path).status == "running"
    child.kill()
    child.wait()
    child.stdout.close()
    assert read_info(info.path).status == "interrupted"


def test_listing_many_runs_reads_each_once(tmp_path: Path) -> None:
    first = made(tmp_path)
    text = (first.path / "run.json").read_text()
    few = steps(lambda: list_runs(tmp_path))
    for number in range(199):
        folder = tmp_path / f"20200101-000000-r-{number:06x}"
        folder.mkdir()
        (folder / "run.json").write_text(text.replace(first.id, f"{number:06x}"))
    runs: list[RunInfo] = []
    assert steps(lambda: runs.extend(list_runs(tmp_path))) < 200 * few
    assert len(runs) == 200


def test_a_damaged_run_is_listed_with_its_problem_and_the_others_stay(tmp_path: Path) -> None:
    good, bad = made(tmp_path), made(tmp_path)
    (bad.path / "run.json").write_text('{"status": ')
    (tmp_path / "no-run").mkdir()
    runs = {info.path: info for info in list_runs(tmp_path)}
    assert set(runs) == {good.path, bad.path}
    assert runs[bad.path].status == "failed"
    assert "run.json" in runs[bad.path].problem["happened"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("result", "../../elsewhere"), ("result", 3), ("epoch", "two"), ("epochs", True), ("created", None),
     ("created", "nan"), ("seconds", [1]), ("name", 5), ("status", None), ("note", {}), ("best", [1, 2]),
     ("final", "none"), ("versions", 3), ("problem", "text"), ("step", 1.5)],
)  # fmt: skip
def test_a_run_file_with_values_of_another_kind_is_named_and_hides_no_other(
    tmp_path: Path, name: str, value: object
) -> None:
    good, bad = made(tmp_path, "good"), made(tmp_path, "bad")
    file = bad.path / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), name: value}))
    with pytest.raises(ProblemError, match=f"{name} cannot be"):
        read_info(bad.path)
    runs = {info.path: info for info in list_runs(tmp_path)}
    assert set(runs) == {good.path, bad.path}
    assert runs[good.path] == good
    assert f"{name} cannot be" in runs[bad.path].problem["happened"]


def test_a_run_of_a_newer_format_is_named_so_and_never_written_over(tmp_path: Path) -> None:
    good, newer = made(tmp_path, "good"), made(tmp_path, "newer")
    file = newer.path / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "format": 2, "epochs": {"in": "another form"}}))
    text = file.read_text()
    with pytest.raises(ProblemError, match="newer version") as caught:
        read_info(newer.path)
    assert "Update Layerwright" in caught.value.problem.fix
    with pytest.raises(ProblemError, match="newer version"):
        rename_run(newer.path, "another")
    assert file.read_text() == text
    runs = {info.path: info for info in list_runs(tmp_path)}
    assert runs[good.path] == good
    assert "newer version" in runs[newer.path].problem["happened"]


def test_values_of_a_run_file_that_nobody_knows_are_passed_over(tmp_path: Path) -> None:
    info = made(tmp_path)
    file = info.path / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "weather": [1], "problem": None, "created": 5}))
    assert read_info(info.path) == replace(info, created=5)


def test_runs_are_found_by_folder_name_id_and_unique_beginning(tmp_path: Path) -> None:
    one, two = made(tmp_path, "wide"), made(tmp_path, "deep")
    for text in (str(one.path), one.path.name, one.id, "wide", "wi"):
        assert find_run(tmp_path, text) == one.path
    with pytest.raises(ProblemError, match="fits 2 runs"):
        find_run(tmp_path, two.path.name[:8])
    with pytest.raises(ProblemError, match="There is no run 'x'"):
        find_run(tmp_path, "x")


def test_names_and_notes_change_and_a_name_may_not_be_empty(tmp_path: Path) -> None:
    info = made(tmp_path)
    rename_run(info.path, "  better \n name ")
    annotate_run(info.path, "keep this")
    assert (read_info(info.path).name, read_info(info.path).note) == ("better name", "keep this")
    with pytest.raises(ProblemError, match="needs a name"):
        rename_run(info.path, "  ")


def test_renaming_while_scores_are_written_loses_neither(tmp_path: Path) -> None:
    info = made(tmp_path)
    writer = threading.Thread(target=lambda: [update_info(info.path, step=step) for step in range(1, 101)])
    writer.start()
    for number in range(100):
        annotate_run(info.path, f"note {number}")
    writer.join()
    assert (read_info(info.path).step, read_info(info.path).note) == (100, "note 99")


def test_a_run_is_deleted_whole_but_not_while_it_trains(tmp_path: Path) -> None:
    info = made(tmp_path)
    lock = own(info.path)
    with pytest.raises(ProblemError, match="training right now"):
        delete_run(info.path)
    lock.release()
    delete_run(info.path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ProblemError, match="no run"):
        delete_run(tmp_path)
    assert tmp_path.exists()


def test_a_torn_last_line_is_ignored(tmp_path: Path) -> None:
    info = made(tmp_path)
    steps = [Step(1, 1, 0.1, 2.0), Step(2, 1, 0.1, 1.5)]
    write(info.path, steps, '{"event": "step", "step": 3, "ep')
    assert list(read_events(info.path)) == steps


def test_what_lies_beyond_a_resume_is_dropped(tmp_path: Path) -> None:
    info = made(tmp_path)
    start = RunStarted("r", "n", "cpu", 1, 0, 2, 2, 4, 0, 1, 1)
    ended = RunEnded("stopped", "r", 3, 1)
    epoch = EpochEnded(1, 2, 1.0, None, 0.1, 1.0, 4.0, metrics={"train_accuracy": 0.5})
    again = RunResumed(2, 1, 2, 2)
    new = [Step(3, 2, 0.1, 0.5), EpochEnded(2, 4, 0.9, None, 0.1, 1.0, 4.0)]
    write(info.path, [start, Step(1, 1, 0.1, 1.0), epoch, Step(3, 2, 0.1, 9.0), ended, again, *new])
    assert list(read_events(info.path)) == [start, Step(1, 1, 0.1, 1.0), epoch, again, *new]


def test_runs_are_compared_by_what_differs(tmp_path: Path) -> None:
    one = load_example("digits-mlp")
    two = one.with_recipe(one.recipe.with_value("optimizer", {"type": "adam", "lr": 0.5}).with_value("seed", 3))
    infos = [create_run(tmp_path, project, info=RunInfo(status="completed")) for project in (one, two)]
    write_info(replace(infos[1], best={"val_loss": 0.1}))
    found = compare_runs([info.path for info in infos])
    assert found["settings"]["recipe.optimizer.lr"][1] == 0.5
    assert found["settings"]["recipe.seed"] == [0, 3]
    assert "recipe.batch_size" not in found["settings"]
    assert found["runs"][1]["best"] == {"val_loss": 0.1}


def test_run_folders_are_handled_without_torch() -> None:
    code = "import sys, engine.runs; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, env=dict(os.environ)).returncode == 0
