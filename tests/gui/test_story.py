"""The story of a new user, told with mouse and keys: build, train, change the data, keep runs, save, take it away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.examples import load_example
from engine.problem import Severity
from engine.runfiles import read_info
from gui.dialogs.export import ExportDialog
from gui.panels.runs import NAME
from gui.training import IDLE
from gui.window import MainWindow
from gui.wiring import ExportDialog as WiredExportDialog
from tests.gui.canvas_world import World
from tests.gui.helpers import LONG, opened_window, press, press_keys, wait_for_check, world, write


@pytest.fixture
def window(qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    project = load_example("digits-mlp")
    project = replace(project, recipe=project.recipe.with_value("epochs", 12))
    with opened_window(qtbot, tmp_path, monkeypatch, project=project) as made:
        yield made


def _trained(qtbot: QtBot, window: MainWindow) -> Path:
    press_keys(window, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.training.active, timeout=LONG)
    qtbot.waitUntil(lambda: window.training.state == IDLE, timeout=LONG)
    assert window.runflow.shown is not None
    return window.runflow.shown


def _drop_from_palette(window: MainWindow, canvas: World, words: str, at: tuple[int, int]) -> None:
    """Finds a layer in the palette and drags it to a point of the canvas."""
    panel = window.palette_panel
    write(panel.search, words, enter=False)
    item = panel.tree.currentItem()
    assert item is not None
    view, start = panel.tree.viewport(), panel.tree.visualItemRect(item).center()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    for pixels in (6, 14, 24):
        QTest.mouseMove(view, start + QPoint(pixels, 0))
    assert window.canvas.gesture is not None, "the drag did not begin"
    # From here on the canvas holds the mouse, wherever the pointer is.
    for step in (40, 20, 0):
        canvas.move(QPoint(*at) - QPoint(step, step))
    QTest.mouseRelease(window.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(*at))
    QApplication.processEvents()
    write(panel.search, "", enter=False)


def test_a_layer_is_dragged_wired_set_deleted_and_everything_undone(qtbot: QtBot, window: MainWindow) -> None:
    canvas = world(window)
    before = window.document.project
    _drop_from_palette(window, canvas, "Dropout", (420, 640))
    assert "dropout" in canvas.names()
    canvas.drag(canvas.out("relu1"), canvas.into("dropout"))
    assert ("relu1", "dropout") in canvas.wires()
    canvas.drag(canvas.out("dropout"), canvas.into("hidden2"))
    assert ("dropout", "hidden2") in canvas.wires()
    assert ("relu1", "hidden2") not in canvas.wires()
    wait_for_check(qtbot, window)
    assert not window.document.analysis.errors
    canvas.click(canvas.middle("hidden1"))
    assert window.inspector.form is not None
    write(window.inspector.form.editor("units"), "2*64")
    wait_for_check(qtbot, window)
    assert "128" in window.document.analysis.source
    canvas.click(canvas.middle("dropout"))
    window.canvas.setFocus()
    canvas.key_press(Qt.Key.Key_Delete)
    assert "dropout" not in canvas.names()
    for _ in range(5):
        press_keys(window.canvas, Qt.Key.Key_Z)
    assert window.document.project == before
    press_keys(window.canvas, Qt.Key.Key_Y)
    assert "dropout" in canvas.names()


def test_a_wire_that_does_not_fit_says_on_the_layer_what_arrived(qtbot: QtBot, window: MainWindow) -> None:
    canvas = world(window)
    _drop_from_palette(window, canvas, "Conv 2D", (420, 640))
    canvas.drag(canvas.out("flatten"), canvas.into("conv2d"))
    wait_for_check(qtbot, window)
    key = canvas.key("conv2d")
    found = [problem for problem in window.document.analysis.problems if problem.where.node == key[1]]
    told = [problem for problem in found if problem.arrived]
    assert told, [str(problem) for problem in found]
    assert "64" in told[0].arrived[0][1]
    assert "image" in f"{told[0].happened} {told[0].expected}"
    assert window.canvas.shown.findings.problems(key)


def test_another_data_set_is_chosen_its_problems_mended_by_their_buttons_and_trained(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.show_dock("recipe")
    editor = window.recipe.form_for("data").editor("data")
    choice = editor.focusProxy()
    choice.setFocus()  # type: ignore[union-attr]
    choice.setCurrentIndex(choice.findText("Spirals"))  # type: ignore[union-attr,attr-defined]
    choice.activated.emit(choice.currentIndex())  # type: ignore[union-attr,attr-defined]
    assert window.document.project.recipe.get("data")["type"] == "spirals"
    wait_for_check(qtbot, window)
    window.show_dock("problems")
    for _ in range(6):
        wait_for_check(qtbot, window)
        QApplication.processEvents()
        worst = [row for row in window.problems.rows if row.button is not None]
        if not worst or not window.document.analysis.problems:
            break
        press(worst[0].button)
    wait_for_check(qtbot, window)
    wrong = [problem for problem in window.document.analysis.problems if problem.severity is Severity.ERROR]
    assert not wrong, [str(problem) for problem in wrong]
    run = _trained(qtbot, window)
    assert read_info(run).status == "completed"


def test_runs_are_kept_renamed_compared_reopened_and_continued(qtbot: QtBot, window: MainWindow) -> None:
    first, second = _trained(qtbot, window), _trained(qtbot, window)
    assert first != second
    assert read_info(second).best["val_accuracy"] > 0.9
    window.show_dock("runs")
    table = window.runs.table
    assert table.topLevelItemCount() == 2
    table.topLevelItem(0).setText(NAME, "my best")
    qtbot.waitUntil(lambda: "my best" in {read_info(first).name, read_info(second).name})
    for row in range(2):
        table.topLevelItem(row).setCheckState(NAME, Qt.CheckState.Checked)
    assert len(window.charts.state.series) == 2
    window.runs.clear_overlay()
    table.itemActivated.emit(table.topLevelItem(1), NAME)
    assert window.runflow.shown == table.topLevelItem(1).data(NAME, Qt.ItemDataRole.UserRole)
    assert len(window.training.timeline.epochs) == 12
    window.runflow.continue_run(first, 14)
    qtbot.waitUntil(lambda: window.training.state == IDLE and read_info(first).epoch == 14, timeout=LONG)


def test_a_project_is_saved_closed_and_opened_again_as_it_was(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canvas = world(window)
    canvas.click(canvas.middle("hidden1"))
    window.canvas.setFocus()
    canvas.key_press(Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert window.document.dirty
    file = tmp_path / "mine.lwr"
    monkeypatch.setattr("gui.files.QFileDialog.getSaveFileName", lambda *_args: (str(file), ""))
    press_keys(window, Qt.Key.Key_S)
    assert file.exists()
    assert not window.document.dirty
    kept = window.document.project
    window.files.new()
    assert window.document.project != kept
    assert window.files.open(file)
    assert window.document.project.graph == kept.graph
    assert window.document.project.recipe == kept.recipe


def test_a_trained_model_is_exported_read_back_and_its_difference_shown(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    run = _trained(qtbot, window)
    assert WiredExportDialog is ExportDialog
    dialog = ExportDialog(window.document, window.jobs, run, window)
    qtbot.addWidget(dialog)
    dialog.open()
    reports: list[object] = []
    dialog.exported.connect(reports.append)
    target = tmp_path / "model.py"
    write(dialog.path, str(target))
    press(dialog.export)
    qtbot.waitUntil(lambda: bool(reports), timeout=LONG)
    assert target.exists()
    assert "class DigitsMlp(nn.Module)" in target.read_text(encoding="utf-8")
    assert reports[0].largest_difference == 0  # type: ignore[attr-defined]
    dialog.close()
