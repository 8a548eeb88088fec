"""The dialog that finds a learning rate: it runs, draws and proposes; only Apply changes the project, in one step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import log10
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.examples import load_example
from engine.places import Places
from engine.project import Project
from engine.proposal import proposal_of
from engine.range_test import END, HIGH, LOW, RangeTest
from gui.charts.rate_loss import RateLossChart
from gui.dialogs.range_test import RangeTestDialog
from gui.document import Document
from gui.jobs import Jobs
from gui.notify import Notifier
from gui.theme import color
from gui.widgets.buttons import Button
from gui.window import MainWindow
from tests.gui.helpers import LEFT, LONG, opened_window, press, write

FOUND = RangeTest(
    rates=(1e-3, 1e-2, 1e-1, 1.0), losses=(2.0, 1.5, 1.0, 3.0), smoothed=(2.0, 1.7, 1.2, 2.5), ended=END,
    proposal=0.03, why="Because.", risen=0.3, steepest=0.03, lowest=0.1,
)  # fmt: skip


@pytest.fixture
def jobs(qtbot: QtBot) -> Iterator[Jobs]:
    made = Jobs()
    yield made
    made.cancel_all()


def project(**recipe: object) -> Project:
    made = load_example("digits-mlp")
    for name, value in {"batch_size": 64, "optimizer": {"type": "sgd", "lr": 0.05, "momentum": 0.9}, **recipe}.items():
        made = made.with_recipe(made.recipe.with_value(name, value))
    return made


def opened(qtbot: QtBot, jobs: Jobs, folder: Path, made: Project | None = None) -> tuple[RangeTestDialog, Document]:
    document = Document()
    document.adopt(made or project())
    dialog = RangeTestDialog(document, jobs, Places(None, None, folder))
    dialog.open()
    return dialog, document


def finished(qtbot: QtBot, dialog: RangeTestDialog) -> RangeTest:
    qtbot.waitUntil(lambda: dialog.result_found is not None, timeout=LONG)
    assert dialog.result_found is not None
    return dialog.result_found


def end(qtbot: QtBot, dialog: RangeTestDialog, jobs: Jobs) -> None:
    dialog.reject()
    jobs.cancel_all()
    qtbot.wait(1)


def test_it_proposes_a_rate_and_apply_is_one_step_that_undo_takes_back(
    qtbot: QtBot, styled: QApplication, jobs: Jobs, tmp_path: Path
) -> None:
    dialog, document = opened(qtbot, jobs, tmp_path)
    before = document.project
    assert not dialog.apply.isEnabled()
    found = finished(qtbot, dialog)
    assert found.proposal is not None
    assert dialog.banner.text.text() == found.why
    assert dialog.rate.value() == dialog.chart.marker == found.proposal
    # What was found is kept beside the project: no edit, nothing to save, nothing to undo.
    assert replace(document.project, proposed=None) == before
    assert proposal_of(document.project) == found.proposal
    assert not document.dirty
    assert not document.undo_label
    press(dialog.apply)
    assert not dialog.isVisible()
    assert document.project.recipe.get("optimizer") == {"type": "sgd", "lr": found.proposal, "momentum": 0.9}
    document.undo()
    assert replace(document.project, proposed=None) == before
    assert not document.undo_label


def test_cancel_leaves_the_project_and_gives_the_test_up(
    qtbot: QtBot, styled: QApplication, jobs: Jobs, tmp_path: Path
) -> None:
    dialog, document = opened(qtbot, jobs, tmp_path)
    write(dialog.steps, "90000", enter=False)
    before = document.project
    qtbot.waitUntil(lambda: len(dialog._seen) > 3, timeout=LONG)
    press(dialog.close_button)
    qtbot.waitUntil(lambda: not jobs.busy, timeout=LONG)
    assert document.project is before


def test_it_is_stopped_and_run_again_over_another_range(
    qtbot: QtBot, styled: QApplication, jobs: Jobs, tmp_path: Path
) -> None:
    dialog, _ = opened(qtbot, jobs, tmp_path)
    finished(qtbot, dialog)
    for field, text in ((dialog.low, "1e-6"), (dialog.high, "1e-5"), (dialog.steps, "50000")):
        write(field, text)
    press(dialog.run)
    assert dialog.run.text() == "Stop"
    assert not dialog.steps.isEnabled()
    qtbot.waitUntil(lambda: len(dialog._seen) > 3, timeout=LONG)
    press(dialog.run)
    qtbot.waitUntil(lambda: dialog.run.text() == "Run again", timeout=LONG)
    assert dialog.result_found is None
    assert dialog.banner.title.text() == "Stopped"
    assert dialog.rate.value() == 0.05  # the present rate, to drag from
    write(dialog.steps, "25")
    press(dialog.run)
    assert len(finished(qtbot, dialog).rates) == 25
    end(qtbot, dialog, jobs)


def test_a_range_the_wrong_way_round_is_said_at_its_field(
    qtbot: QtBot, styled: QApplication, jobs: Jobs, tmp_path: Path
) -> None:
    dialog, _ = opened(qtbot, jobs, tmp_path)
    found = finished(qtbot, dialog)
    write(dialog.high, "1e-9")
    press(dialog.run)
    assert dialog.high.message.text()
    assert dialog.result_found is found
    end(qtbot, dialog, jobs)


def test_a_project_that_cannot_train_says_why(qtbot: QtBot, styled: QApplication, jobs: Jobs, tmp_path: Path) -> None:
    dialog, _ = opened(qtbot, jobs, tmp_path, project(data={"type": "csv", "path": "nowhere.csv"}))
    qtbot.waitUntil(lambda: dialog.run.text() == "Run again", timeout=LONG)
    assert dialog.banner.title.text()
    assert dialog.banner.text.text()
    assert not dialog.apply.isEnabled()
    end(qtbot, dialog, jobs)


def drawn(qtbot: QtBot) -> RateLossChart:
    chart = RateLossChart()
    qtbot.addWidget(chart)
    chart.resize(640, 320)
    chart.set_range(1e-3, 1.0)
    chart.show_result(FOUND)
    chart.set_marker(0.03)
    chart.show()
    return chart


def test_the_marker_follows_a_real_drag_and_stays_in_the_range(qtbot: QtBot, styled: QApplication) -> None:
    chart = drawn(qtbot)
    told: list[float] = []
    chart.chosen.connect(told.append)
    y = chart.height() // 2
    QTest.mousePress(chart, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(round(chart.x_of(0.03)), y))
    for rate in (0.05, 0.1):
        QTest.mouseMove(chart, QPoint(round(chart.x_of(rate)), y))
        qtbot.waitUntil(lambda rate=rate: abs(log10(chart.marker) - log10(rate)) < 0.02)
    QTest.mouseMove(chart, QPoint(chart.width() - 2, y))
    QTest.mouseRelease(chart, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(chart.width() - 2, y))
    qtbot.waitUntil(lambda: chart.marker == 1.0)
    assert told[-1] == 1.0
    before = chart.marker
    QTest.mouseMove(chart, QPoint(100, y))
    assert chart.marker == before  # it was let go


def test_arrow_keys_move_the_marker_by_at_least_one_figure(qtbot: QtBot, styled: QApplication) -> None:
    chart = drawn(qtbot)
    QTest.keyClick(chart, Qt.Key.Key_Right)
    assert chart.marker == 0.031
    QTest.keyClick(chart, Qt.Key.Key_Left)
    assert chart.marker == 0.03
    QTest.keyClick(chart, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert chart.marker == pytest.approx(0.03 * 10**0.2, rel=0.03)
    chart.set_marker(1.0)
    QTest.keyClick(chart, Qt.Key.Key_Right)
    assert chart.marker == 1.0


def test_the_chart_spans_from_zero_to_the_first_loss_plus_the_least(qtbot: QtBot, styled: QApplication) -> None:
    chart = drawn(qtbot)
    frame = chart._frame()
    assert (frame.bottom, frame.top) == (0.0, 2.0 + 1.0)
    assert (frame.low, frame.high) == (pytest.approx(-3), pytest.approx(0))
    image = chart.grab().toImage()
    column = round(chart.x_of(0.03))
    inks = {image.pixelColor(x, 60).name() for x in range(column - 2, column + 3)}
    assert color("accent").name() in inks


def test_what_is_typed_moves_the_marker(qtbot: QtBot, styled: QApplication, jobs: Jobs, tmp_path: Path) -> None:
    dialog, document = opened(qtbot, jobs, tmp_path)
    finished(qtbot, dialog)
    write(dialog.rate, "0.02")
    assert dialog.chart.marker == 0.02
    press(dialog.apply)
    assert document.project.recipe.get("optimizer")["lr"] == 0.02


def test_the_recipe_s_button_and_the_menu_open_it(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_window(qtbot, tmp_path, monkeypatch) as window:
        window.show_dock("recipe")
        next(one for one in window.recipe.findChildren(Button) if one.text() == "Find a learning rate").click()
        dialog = _dialog(qtbot, window)
        assert (dialog.low.value(), dialog.high.value()) == (LOW, HIGH)
        finished(qtbot, dialog)
        dialog.reject()
        window.actions_["find_rate"].trigger()
        again = _dialog(qtbot, window)
        assert again is not dialog
        again.reject()
        window.jobs.cancel_all()


def test_errors_are_told_before_it_opens(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(Notifier, "problem", lambda self, problem: told.append(problem))
    with opened_window(qtbot, tmp_path, monkeypatch, project=project(schedule={"type": "chain"})) as window:
        window.actions_["find_rate"].trigger()
        assert [getattr(problem, "code", "") for problem in told] == ["recipe.schedule"]
        assert not window.findChildren(RangeTestDialog)


def _dialog(qtbot: QtBot, window: MainWindow) -> RangeTestDialog:
    def visible() -> list[RangeTestDialog]:
        return [one for one in window.findChildren(RangeTestDialog) if one.isVisible()]

    qtbot.waitUntil(lambda: bool(visible()), timeout=LONG)
    return visible()[0]
