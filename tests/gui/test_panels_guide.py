"""The guide with a real mouse: rows apply and show, presets are seen before they are applied, search finds rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTabBar
from pytestqt.qtbot import QtBot

from engine.examples import load_example
from engine.guide import TABLES
from gui.dialogs.help import Page
from gui.dialogs.preset import PresetDialog
from gui.panels.guide import GuideRow
from gui.window import MainWindow
from tests.gui.helpers import opened_window, press


@pytest.fixture
def window(qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    with opened_window(qtbot, tmp_path, monkeypatch, started=False) as made:
        made.workspaces.reset()
        assert made.guide.rows == [], "rows are made when they are first seen"
        made.show_dock("guide")
        qtbot.waitUntil(lambda: bool(made.guide.rows))
        qtbot.wait(20)
        yield made


def row(window: MainWindow, table: str, first: str) -> GuideRow:
    found = next(row for row in window.guide.rows if row.table.id == table and row.row.cells[0] == first)
    section = window.guide.sections[table]
    if not section.opened:
        press(section.header)
    QApplication.processEvents()
    window.guide._scroll.ensureWidgetVisible(found.button)
    QApplication.processEvents()
    return found


def dialog(window: MainWindow) -> PresetDialog:
    return next(found for found in window.findChildren(PresetDialog) if found.isVisible())


def kinds(window: MainWindow) -> list[str]:
    return [node.type for node in window.document.graph.nodes.values()]


def test_every_table_has_a_section_and_every_row_a_button(window: MainWindow) -> None:
    assert list(window.guide.sections) == list(TABLES)
    assert len(window.guide.rows) == sum(len(table.rows) for table in TABLES.values())
    assert all(row.button.text() == ("Apply" if row.row.apply else "Show") for row in window.guide.rows)


def test_a_row_is_applied_in_one_step_and_undone(window: MainWindow) -> None:
    before = window.document.project
    press(row(window, "T4", "AdamW").button)
    assert window.document.project.recipe.get("optimizer") == {"type": "adamw"}
    press(row(window, "T4", "AdamW").button)  # so already: no further step
    window.document.undo()
    assert window.document.project == before


def test_a_row_shows_help_or_the_recipe(window: MainWindow) -> None:
    press(row(window, "T3", "Activation").button)
    page = next(found for found in window.findChildren(Page) if found.isVisible())
    assert page.windowTitle() == "SELU"
    page.close()
    press(row(window, "T2", "Regularisation").button)
    QApplication.processEvents()
    assert window.docks.in_front("recipe")


def test_a_preset_shows_its_changes_first_and_is_one_step(window: MainWindow) -> None:
    before = window.document.project
    press(window.guide.presets["self-normalising"])
    shown = dialog(window)
    assert len(shown.changes) >= 4
    assert window.document.project is before
    press(shown.cancel)
    assert window.document.project is before
    press(window.guide.presets["self-normalising"])
    press(dialog(window).apply)
    assert kinds(window).count("selu") == 2
    window.document.undo()
    assert window.document.project == before


def test_a_preset_that_does_not_fit_says_why(window: MainWindow) -> None:
    window.document.adopt(load_example("cifar-resnet"))
    window.show_dock("guide")
    QApplication.processEvents()
    press(window.guide.presets["self-normalising"])
    assert not dialog(window).apply.isEnabled()


@pytest.mark.parametrize("width", [1280, 1600])
def test_the_tabs_of_the_right_column_are_read_whole(window: MainWindow, width: int, qtbot: QtBot) -> None:
    window.resize(width, 720)
    window.workspaces.reset()
    window.show_dock("guide")
    qtbot.wait(20)
    bars = [bar for bar in window.findChildren(QTabBar) if bar.isVisible() and bar.count() == 4]
    bar = next(bar for bar in bars if "Guide" in [bar.tabText(index) for index in range(4)])
    for index in range(4):
        assert bar.tabRect(index).width() >= bar.fontMetrics().horizontalAdvance(bar.tabText(index)) + 20


def test_advice_alone_is_no_problem_in_the_status_bar(window: MainWindow, qtbot: QtBot) -> None:
    from engine.runtime.analyze import analyze

    recipe = window.document.project.recipe.with_value("optimizer", {"type": "adam", "weight_decay": 0.1})
    window.document.edit("Adam", lambda project: project.with_recipe(recipe))
    window.document.accept(analyze(window.document.project), window.document.project)
    assert "1 piece of advice" in window.status.problems.accessibleName() + window.status.problems.text()


def test_typing_finds_rows_and_clearing_brings_all_back(window: MainWindow) -> None:
    QTest.keyClicks(window.guide.search, "nesterov")
    seen = [found for found in window.guide.rows if found.isVisible()]
    assert {found.table.id for found in seen} == {"T2", "T3", "T4"}
    assert all("nesterov" in found.words for found in seen)
    QTest.keyClicks(window.guide.search, "qqq")
    assert not [found for found in window.guide.rows if found.isVisible()]
    window.guide.search.clear()
    assert not [found for found in window.guide.rows if found.isHidden()]
