"""The compare page: what it says about runs is what their records say, and never more than the seeds allow."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from engine.events import EpochEnded, RunEnded, RunStarted, to_json
from engine.project import Project
from engine.runfiles import EVENTS, RunInfo, read_info, write_info
from engine.runs import create_run
from gui.panels.compare import ComparePage
from gui.panels.compare_figures import Comparison, Replays, comparing, decisive, measure, sentence
from gui.panels.compare_lines import setting_lines


def make_run(
    folder: Path, name: str, accuracies: list[float], *, lr: float = 0.1, seed: int = 0, optimizer: str = "sgd"
) -> RunInfo:
    project = Project(name="digits")
    recipe = project.recipe.with_value("optimizer", {"type": optimizer, "lr": lr}).with_value("seed", seed)
    known = RunInfo(name=name, epochs=len(accuracies), epoch=len(accuracies), seed=seed, parameters=650, seconds=2.5)
    info = create_run(folder, project.with_recipe(recipe), info=known)
    events = [
        RunStarted(str(info.path), name, "cpu", 1, seed, len(accuracies), 10, 90, 10, 650, 650, metrics=("accuracy",))
    ]
    for epoch, accuracy in enumerate(accuracies, 1):
        figures = {"train_accuracy": accuracy, "val_accuracy": accuracy}
        events.append(EpochEnded(epoch, 10 * epoch, 1 - accuracy, 1.1 - accuracy, lr, 0.1, 9e3, metrics=figures))
    events.append(RunEnded("completed", str(info.path), 10 * len(accuracies), len(accuracies)))
    lines = [json.dumps(to_json(event)) + "\n" for event in events]
    (info.path / EVENTS).write_text("".join(lines), "utf-8")
    info = replace(info, status="completed")
    write_info(info)
    return info


def compared(*infos: RunInfo) -> Comparison:
    class Never:
        def is_set(self) -> bool:
            return False

    return comparing(infos, Replays())(lambda *_: None, Never())


@pytest.fixture
def page(shown: Callable[..., QWidget], qtbot: QtBot) -> ComparePage:
    made = ComparePage()
    shown(made).resize(1060, 600)
    return made


def test_the_best_epoch_is_found_even_when_training_got_worse_again(tmp_path: Path) -> None:
    info = make_run(tmp_path, "fast", [0.5, 0.9, 0.7])
    found = compared(info, make_run(tmp_path, "slow", [0.4, 0.5, 0.6])).runs[0]
    assert found.best["val_accuracy"] == (0.9, 2)
    assert found.final["val_accuracy"] == 0.7


def test_one_run_each_is_said_to_be_perhaps_chance(tmp_path: Path) -> None:
    found = compared(
        make_run(tmp_path, "adam-3e-4", [0.9, 0.978], optimizer="adam"), make_run(tmp_path, "sgd", [0.8, 0.974])
    )
    said, caution = sentence(found)
    assert said == "adam-3e-4 has the best validation accuracy, 97.8\N{NO-BREAK SPACE}%, 0.4 points above sgd."
    assert caution.startswith("One run each: this may be chance.")


def test_seeds_that_overlap_cannot_be_told_apart_and_others_can(tmp_path: Path) -> None:
    first = [make_run(tmp_path, "a", [value], seed=seed) for seed, value in enumerate((0.90, 0.92, 0.96))]
    near = [make_run(tmp_path, "b", [value], lr=0.2, seed=seed) for seed, value in enumerate((0.89, 0.91, 0.93))]
    far = [make_run(tmp_path, "c", [value], lr=0.3, seed=seed) for seed, value in enumerate((0.70, 0.71, 0.72))]
    assert "cannot be told apart" in sentence(compared(*first, *near))[1]
    assert "no seed of one comes near the other" in sentence(compared(*first, *far))[1]


def test_a_smaller_loss_wins_where_there_is_no_metric(tmp_path: Path) -> None:
    info = RunInfo(name="x", best={"val_loss": 0.5, "epoch": 3}, final={"val_loss": 0.6})
    worse = RunInfo(name="y", best={"val_loss": 0.75, "epoch": 3}, final={"val_loss": 0.75})
    replays = Replays()
    runs = [measure(one, replays.timeline(tmp_path)) for one in (info, worse)]
    assert decisive(runs) == "val_loss"
    said, _ = sentence(Comparison(tuple(runs), {"recipe.epochs": [1, 2]}, "val_loss"))
    assert said == "x has the best validation loss, 0.500, 0.250 below y."


def test_settings_that_only_another_optimizer_has_are_left_out(tmp_path: Path) -> None:
    found = compared(make_run(tmp_path, "a", [0.5], optimizer="adam", lr=0.01), make_run(tmp_path, "b", [0.5], lr=0.1))
    lines = {line.cells[0]: line.cells[1:] for line in setting_lines(found)}
    assert lines == {"optimizer": ("adam", "sgd"), "optimizer.lr": ("0.01", "0.1")}


def test_fewer_than_two_runs_say_what_to_do(page: ComparePage, tmp_path: Path) -> None:
    assert page.empty.isVisible()
    page.set_count(2)
    page.show_runs([make_run(tmp_path, "alone", [0.5])])
    assert page.empty.text.text() == "Tick one more run at the left."


def test_ticked_runs_lie_over_each_other_and_keep_their_colours(
    page: ComparePage, tmp_path: Path, qtbot: QtBot
) -> None:
    one, two, three = (make_run(tmp_path, name, [0.5, 0.6], lr=lr) for name, lr in (("a", 0.1), ("b", 0.2), ("c", 0.3)))
    page.show_runs([one, two])
    qtbot.waitUntil(lambda: page.figures.rowCount() == 2, timeout=5000)
    page.show_runs([two, three])
    qtbot.waitUntil(lambda: "c" in [series.name for series in page.charts.state.series], timeout=5000)
    assert [(series.name, series.color) for series in page.charts.state.series] == [("b", 1), ("c", 0)]
    assert page.charts.isVisible()
    assert page.figures.item(0, 0).text() == "b"
    qtbot.waitUntil(lambda: not page._jobs.busy)


def test_a_deleted_run_does_not_break_the_page(page: ComparePage, tmp_path: Path, qtbot: QtBot) -> None:
    one, two = make_run(tmp_path, "a", [0.5]), make_run(tmp_path, "b", [0.6])
    (two.path / EVENTS).unlink()
    page.show_runs([one, two])
    qtbot.waitUntil(lambda: page.figures.rowCount() == 2, timeout=5000)
    assert page.insight.text() == "These runs have no validation figure in common."
    qtbot.waitUntil(lambda: not page._jobs.busy)


def test_the_csv_holds_figures_and_settings_in_full(
    page: ComparePage, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.show_runs([make_run(tmp_path, "a", [0.5, 0.612345678]), make_run(tmp_path, "b", [0.6], lr=0.25)])
    qtbot.waitUntil(lambda: page.figures.rowCount() == 2, timeout=5000)
    target = tmp_path / "out.csv"
    monkeypatch.setattr("gui.panels.compare.QFileDialog.getSaveFileName", lambda *_: (str(target), ""))
    qtbot.mouseClick(page.csv, Qt.MouseButton.LeftButton)
    rows = list(csv.DictReader(target.read_text("utf-8").splitlines()))
    assert rows[0]["best_val_accuracy"] == "0.612345678"
    assert rows[0]["best_val_accuracy_epoch"] == "2"
    assert rows[1]["recipe.optimizer.lr"] == "0.25"
    qtbot.waitUntil(lambda: not page._jobs.busy)


def test_a_table_that_cannot_be_written_is_a_problem(page: ComparePage, tmp_path: Path, qtbot: QtBot) -> None:
    page.show_runs([make_run(tmp_path, "a", [0.5]), make_run(tmp_path, "b", [0.6])])
    qtbot.waitUntil(lambda: page.figures.rowCount() == 2, timeout=5000)
    with qtbot.waitSignal(page.problem) as told:
        assert not page.export_csv(tmp_path / "nowhere" / "out.csv")
    assert "could not be written" in told.args[0].happened
    qtbot.waitUntil(lambda: not page._jobs.busy)


def test_a_rerun_reads_its_grown_record_again(tmp_path: Path) -> None:
    info = make_run(tmp_path, "a", [0.5])
    replays = Replays()
    first = replays.timeline(info.path)
    assert replays.timeline(info.path) is first
    with (info.path / EVENTS).open("a", encoding="utf-8") as record:
        row = EpochEnded(2, 20, 0.1, 0.2, 0.1, 0.1, 9e3, metrics={"val_accuracy": 0.8})
        record.write(json.dumps(to_json(row)) + "\n")
    assert measure(read_info(info.path), replays.timeline(info.path)).best["val_accuracy"] == (0.8, 2)
