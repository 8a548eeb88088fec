"""Problems and runs with a real mouse and keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QTreeWidgetItem, QWidget
from pytestqt.qtbot import QtBot

from engine.examples import load_example
from engine.problem import Problem
from engine.project import Project
from engine.runfiles import RunInfo, own, read_info, write_info
from engine.runs import create_run
from engine.runtime.analyze import analyze
from gui.document import Document
from gui.panels.problems import ProblemsPanel
from gui.panels.runs import NAME, RunsPanel
from tests.gui.helpers import answering, press

LEFT = Qt.MouseButton.LeftButton


def with_softmax() -> Project:
    """A network whose answers pass a softmax before a loss that has one inside."""
    from engine import edits

    project = load_example("digits-mlp")
    graph, node = edits.add_node(project.graph, "", "softmax", name="softmax")
    edge = next(edge for edge in graph.edges if edge.target == "scores")
    return project.with_graph(edits.insert_on_edge(graph, "", edge, node.id))


@pytest.fixture
def problems(shown: Callable[..., QWidget]) -> ProblemsPanel:
    document = Document()
    panel = ProblemsPanel(document)
    panel.document = document  # type: ignore[attr-defined]
    shown(panel).resize(1100, 240)
    document.adopt(with_softmax())
    document.accept(analyze(document.project), document.project)
    return panel


def _is_softmax(problem: Problem) -> bool:
    return str(problem.where).startswith("softmax")


def test_a_problem_has_a_row_with_its_place_and_words(problems: ProblemsPanel) -> None:
    assert [row for row in problems.rows if _is_softmax(row.problem)]


def test_a_press_on_a_row_shows_the_layer(problems: ProblemsPanel, qtbot: QtBot) -> None:
    row = next(row for row in problems.rows if _is_softmax(row.problem))
    with qtbot.waitSignal(problems.shown_on_canvas, timeout=1000) as heard:
        QTest.mouseClick(row, LEFT, pos=QPoint(60, row.height() // 2))
    assert heard.args == ["", row.problem.where.node]


def test_the_button_of_a_row_mends_the_network_and_undo_takes_it_back(problems: ProblemsPanel) -> None:
    document: Document = problems.document  # type: ignore[attr-defined]
    row = next(row for row in problems.rows if _is_softmax(row.problem))
    assert row.button is not None
    press(row.button)
    document.accept(analyze(document.project), document.project)
    assert not [problem for problem in document.analysis.problems if _is_softmax(problem)]
    assert not [row for row in problems.rows if _is_softmax(row.problem)]
    document.undo()
    assert document.graph.by_name("softmax") is not None


def test_advice_is_silenced_from_its_menu_and_heard_again_at_the_foot(shown: Callable[..., QWidget]) -> None:
    from engine import edits

    document = Document()
    panel = ProblemsPanel(document)
    shown(panel).resize(1100, 240)
    project = load_example("digits-mlp")
    graph, node = edits.add_node(project.graph, "", "batch_norm1d", name="norm")
    first = project.graph.of_type("linear")[0]
    graph = edits.insert_on_edge(graph, "", project.graph.outgoing(first.id)[0], node.id)
    document.adopt(project.with_graph(graph))

    def check() -> list[str]:
        document.accept(analyze(document.project), document.project)
        return [row.problem.code for row in panel.rows]

    assert check() == ["advice.bias-before-norm"]
    assert panel.hear is None
    menu = panel.rows[0].menu()
    menu.popup(panel.rows[0].mapToGlobal(QPoint(60, 10)))
    quiet = next(action for action in menu.actions() if action.text() == "Don't advise this")
    QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(quiet).center())
    assert document.project.muted == ("bias-before-norm",)
    assert check() == []
    assert panel.hear is not None
    press(panel.hear)
    assert check() == ["advice.bias-before-norm"]
    document.undo()
    assert check() == []
    document.undo()
    assert document.project.muted == ()


def make_run(folder: Path, name: str, created: float, **more: object) -> RunInfo:
    info = create_run(folder, Project(name="digits"), info=RunInfo(name=name, epochs=10, epoch=7, seconds=12.0))
    known = replace(info, status="completed", created=created, best={"val_loss": 0.25, "val_accuracy": 0.953}, **more)  # type: ignore[arg-type]
    write_info(known)
    return known


@pytest.fixture
def runs(shown: Callable[..., QWidget], tmp_path: Path) -> RunsPanel:
    for index, name in enumerate(("first", "second", "third")):
        make_run(tmp_path, name, 1_700_000_000.0 + index)
    panel = RunsPanel()
    shown(panel).resize(1200, 300)
    panel.set_folder(tmp_path)
    return panel


def item(runs: RunsPanel, name: str) -> QTreeWidgetItem:
    rows = (runs.table.topLevelItem(row) for row in range(runs.table.topLevelItemCount()))
    return next(row for row in rows if row is not None and row.text(NAME) == name)


def names(runs: RunsPanel) -> list[str]:
    return [runs.table.topLevelItem(row).text(NAME) for row in range(runs.table.topLevelItemCount())]  # type: ignore[union-attr]


def choose(runs: RunsPanel, name: str) -> None:
    place = runs.table.visualItemRect(item(runs, name)).center()
    QTest.mouseClick(runs.table.viewport(), LEFT, pos=place)


def tick(runs: RunsPanel, name: str) -> None:
    area = runs.table.visualItemRect(item(runs, name))
    QTest.mouseClick(runs.table.viewport(), LEFT, pos=QPoint(area.left() + 11, area.center().y()))


def test_the_newest_run_stands_first_with_its_figures(runs: RunsPanel) -> None:
    assert names(runs) == ["third", "second", "first"]
    row = item(runs, "third")
    cells = [row.text(column) for column in range(runs.table.columnCount())]
    assert "completed" in cells
    assert "7 / 10" in cells
    assert "95.3 %" in cells
    assert "0.250" in cells


def test_typing_finds_runs_by_name(runs: RunsPanel) -> None:
    QTest.keyClicks(runs.search, "sec")
    assert names(runs) == ["second"]


def test_f2_renames_a_run_in_place(runs: RunsPanel, qtbot: QtBot) -> None:
    choose(runs, "second")
    QTest.keyClick(runs.table, Qt.Key.Key_F2)
    field = runs.table.findChild(QLineEdit)
    assert field is not None
    field.selectAll()
    QTest.keyClicks(field, "a better name")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "a better name" in names(runs))
    path = item(runs, "a better name").data(NAME, Qt.ItemDataRole.UserRole)
    assert read_info(path).name == "a better name"


def test_delete_asks_first_and_no_means_no(runs: RunsPanel) -> None:
    choose(runs, "second")
    with answering("No") as hand:
        QTest.keyClick(runs.table, Qt.Key.Key_Delete)
    assert "second" in hand.asked[0]
    assert names(runs) == ["third", "second", "first"]


def test_delete_removes_the_folder_once_agreed(runs: RunsPanel) -> None:
    choose(runs, "second")
    path: Path = item(runs, "second").data(NAME, Qt.ItemDataRole.UserRole)
    with answering("Yes"):
        QTest.keyClick(runs.table, Qt.Key.Key_Delete)
    assert names(runs) == ["third", "first"]
    assert not path.exists()


def test_a_run_that_trains_cannot_be_deleted(runs: RunsPanel, qtbot: QtBot) -> None:
    path: Path = item(runs, "second").data(NAME, Qt.ItemDataRole.UserRole)
    lock = own(path)
    try:
        with qtbot.waitSignal(runs.problem, timeout=3000) as heard, answering("Yes"):
            choose(runs, "second")
            QTest.keyClick(runs.table, Qt.Key.Key_Delete)
    finally:
        lock.release()
    assert heard.args[0].happened
    assert path.exists()


def test_ticked_runs_are_laid_over_the_open_one(runs: RunsPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(runs.overlaid, timeout=1000):
        tick(runs, "first")
    with qtbot.waitSignal(runs.overlaid, timeout=1000) as heard:
        tick(runs, "third")
    assert {info.name for info in heard.args[0]} == {"first", "third"}
    runs.refresh()
    assert {info.name for info in runs.ticked()} == {"first", "third"}
    runs.clear_overlay()
    assert not runs.ticked()


def test_a_double_click_opens_a_run(runs: RunsPanel, qtbot: QtBot) -> None:
    place = runs.table.visualItemRect(item(runs, "first")).center()
    with qtbot.waitSignal(runs.opened, timeout=1000) as heard:
        QTest.mouseClick(runs.table.viewport(), LEFT, pos=place)
        QTest.mouseDClick(runs.table.viewport(), LEFT, pos=place)
    assert read_info(heard.args[0]).name == "first"


def test_a_note_is_written_and_found(runs: RunsPanel) -> None:
    from PySide6.QtWidgets import QInputDialog

    path: Path = item(runs, "first").data(NAME, Qt.ItemDataRole.UserRole)

    def type_note(box: QWidget) -> None:
        assert isinstance(box, QInputDialog)
        box.setTextValue("rate too high")
        box.accept()

    with answering(type_note):
        runs._ask_note(path)
    assert read_info(path).note == "rate too high"
    QTest.keyClicks(runs.search, "too high")
    assert names(runs) == ["first"]


def test_a_run_whose_record_is_broken_is_listed_as_failed(runs: RunsPanel, tmp_path: Path) -> None:
    path: Path = item(runs, "first").data(NAME, Qt.ItemDataRole.UserRole)
    (path / "run.json").write_text("{", "utf-8")
    runs.refresh()
    row = item(runs, path.name)
    assert "failed" in [row.text(column) for column in range(runs.table.columnCount())]


def test_an_empty_folder_says_how_runs_come_about(runs: RunsPanel, tmp_path: Path, qapp: QApplication) -> None:
    from gui.widgets.states import EmptyState

    runs.set_folder(tmp_path / "nothing here")
    state = runs.findChild(EmptyState)
    assert state is not None
    assert state.isVisible()
