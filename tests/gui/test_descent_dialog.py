"""Optimizers on a landscape: opened from the recipe, run in a job, moved by real mouse and keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.surfaces import SURFACES
from gui import settings
from gui.dialogs.descent import STEPS, DescentDialog
from gui.jobs import Jobs
from tests.gui.helpers import LEFT, LONG, opened_window, press, write


@pytest.fixture
def dialog(qtbot: QtBot, styled: QApplication) -> Iterator[DescentDialog]:
    settings.motion.set("reduced")
    jobs = Jobs()
    made = DescentDialog(jobs, {"type": "adamw", "lr": 0.2})
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    made.open()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow, timeout=5000)
    qtbot.waitUntil(lambda: len(made.plane.ways) == 4, timeout=LONG)
    yield made
    made.close()
    jobs.close()
    made.deleteLater()


def results(dialog: DescentDialog) -> dict[str, str]:
    return {racer.key: racer.result.text() for racer in dialog.racers}


def test_it_shows_that_momentum_arrives_and_plain_descent_does_not(dialog: DescentDialog) -> None:
    said = results(dialog)
    assert said["momentum"].startswith("arrived at step")
    assert said["sgd"].startswith("still")
    assert said["nesterov"] == "", "what is not ticked does not run"
    assert dialog.plane.step == STEPS, "with reduced motion the whole way is shown at once"


def test_the_projects_own_optimizer_runs_beside_them(dialog: DescentDialog, qtbot: QtBot) -> None:
    own = dialog.racers[-1]
    assert dialog._title(own) == "This project: AdamW"
    assert own.rate.value() == 0.2
    press(own.check, QPoint(8, own.check.height() // 2))
    qtbot.waitUntil(lambda: len(dialog.plane.ways) == 5, timeout=LONG)
    assert results(dialog)["own"]


def test_a_drag_and_the_arrow_keys_choose_another_start(dialog: DescentDialog, qtbot: QtBot) -> None:
    plane = dialog.plane
    places = [plane.place_of(point).toPoint() for point in ((-9.0, 2.4), (-6.0, 1.0), (-4.0, -2.0))]
    QTest.mousePress(plane, LEFT, Qt.KeyboardModifier.NoModifier, places[0])
    for place in places[1:]:
        QTest.mouseMove(plane, place)
        QApplication.processEvents()
    QTest.mouseRelease(plane, LEFT, Qt.KeyboardModifier.NoModifier, places[-1])
    assert plane.start == pytest.approx((-4.0, -2.0), abs=0.05)
    qtbot.waitUntil(lambda: all(tuple(way.places[0]) == plane.start for way in plane.ways), timeout=LONG)
    before = plane.start
    QTest.keyClick(plane, Qt.Key.Key_Right)
    assert plane.start[0] == pytest.approx(before[0] + 0.02 * 14, abs=0.011)
    QTest.keyClick(plane, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert plane.start[1] == pytest.approx(before[1] + 0.1 * 7, abs=0.011)
    press(dialog.reset)
    assert plane.start == SURFACES[0].start


def test_a_rate_that_is_too_high_diverges_and_says_so(dialog: DescentDialog, qtbot: QtBot) -> None:
    write(dialog.racers[0].rate, "1.5")
    qtbot.waitUntil(lambda: results(dialog)["sgd"].startswith("diverged"), timeout=LONG)


def test_more_momentum_swings_longer(dialog: DescentDialog, qtbot: QtBot) -> None:
    def swings() -> int:
        way = next(way.places for way in dialog.plane.ways if way.name == "momentum")
        return int((abs(way[:, 1]) > 0.1).nonzero()[0][-1])

    before = swings()
    write(dialog.momentum, "0.97")
    qtbot.waitUntil(lambda: swings() > before, timeout=LONG)


@pytest.mark.parametrize("index", range(len(SURFACES)))
def test_every_landscape_is_painted(dialog: DescentDialog, qtbot: QtBot, index: int) -> None:
    dialog.switch.set_current(index)
    qtbot.waitUntil(lambda: len(dialog.plane.ways) == 4, timeout=LONG)
    picture = dialog.plane.grab().toImage()
    colours = {picture.pixel(x, y) for x in range(0, picture.width(), 9) for y in range(0, picture.height(), 9)}
    assert len(colours) > 10
    assert dialog.about.text() == SURFACES[index].help


def test_it_plays_step_by_step_where_things_may_move(dialog: DescentDialog, qtbot: QtBot) -> None:
    settings.motion.set("full")
    press(dialog.play)
    assert dialog.plane.step == 0
    qtbot.waitUntil(lambda: dialog.plane.step >= 3, timeout=LONG)
    assert dialog.count.text().startswith("step ")
    dialog.hide()
    assert not dialog._timer.isActive()


def test_it_opens_from_the_recipe_and_from_the_help_menu(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_window(qtbot, tmp_path, monkeypatch) as window:
        window.docks.reveal("recipe")
        window.recipe.ensureWidgetVisible(window.recipe.show_descent)
        press(window.recipe.show_descent)
        made = window.findChild(DescentDialog)
        assert made is not None
        assert made.isVisible()
        made.close()  # at once: the job's answer finds nobody
        qtbot.wait(300)
        window.actions_["show_descent"].trigger()
        again = window.findChild(DescentDialog)
        assert again is not None
        again.close()
