"""Panels that follow the project: they write only what has changed, and only while somebody looks."""

from __future__ import annotations

import random

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QTextCursor
from pytestqt.qtbot import QtBot

from engine import edits
from engine.analysis import Analysis
from engine.examples import load_example
from gui.document import Document
from gui.panels.code import CodePanel
from gui.panels.outline import OutlinePanel
from gui.theme import color


def _document() -> Document:
    document = Document()
    document.adopt(load_example("digits-mlp"))
    return document


def _source(document: Document, source: str) -> None:
    document.accept(Analysis(source=source, lines={2: ("", "hidden1")}), document.project)


def test_the_code_is_replaced_line_by_line_and_always_ends_as_it_should(qtbot: QtBot) -> None:
    document = _document()
    panel = CodePanel(document)
    qtbot.addWidget(panel)
    chance = random.Random(3)
    for _ in range(300):
        source = "\n".join(chance.choice("abc") for _ in range(chance.randrange(12)))
        panel.text.replace_lines(source)
        assert panel.text.toPlainText() == source


def test_a_text_between_triple_quotes_is_one_colour_over_all_its_lines(qtbot: QtBot) -> None:
    document = _document()
    panel = CodePanel(document)
    qtbot.addWidget(panel)
    panel.show()
    _source(document, 'class A:\n    """One\n    for two."""\n    x = 3  # for\n')
    qtbot.waitUntil(lambda: panel.text.blockCount() > 3)

    def colour(line: int, column: int) -> str:
        formats = panel.text.document().findBlockByNumber(line).layout().formats()
        found = [item.format for item in formats if item.start <= column < item.start + item.length]
        return found[0].foreground().color().name() if found else ""

    string, comment, keyword = (color(token).name() for token in ("series.2", "text3", "series.0"))
    assert colour(0, 0) == keyword
    assert colour(1, 6) == colour(2, 5) == string
    assert colour(3, 12) == comment


def test_a_click_on_a_line_of_code_selects_its_layer(qtbot: QtBot) -> None:
    document = _document()
    panel = CodePanel(document)
    qtbot.addWidget(panel)
    panel.resize(300, 200)
    panel.show()
    qtbot.waitExposed(panel)
    _source(document, "one\ntwo\nthree")
    qtbot.waitUntil(lambda: panel.text.blockCount() == 3)
    panel.text.setFocus()

    def line(row: int) -> QPoint:
        return panel.text.cursorRect(QTextCursor(panel.text.document().findBlockByNumber(row))).center()

    qtbot.mouseClick(panel.text.viewport(), Qt.MouseButton.LeftButton, pos=line(0))
    assert document.selection.nodes == frozenset()
    qtbot.mouseClick(panel.text.viewport(), Qt.MouseButton.LeftButton, pos=line(1))
    assert document.selection.nodes == {("", "hidden1")}


def test_the_outline_is_written_only_once_somebody_looks_and_follows_edits(qtbot: QtBot) -> None:
    document = _document()
    panel = OutlinePanel(document)
    qtbot.addWidget(panel)
    assert panel.tree.topLevelItemCount() == 0
    panel.show()
    qtbot.waitUntil(lambda: panel.tree.topLevelItemCount() == len(document.graph.nodes))
    document.edit_graph("Rename", lambda graph: edits.rename(graph, "", "hidden1", "first"))
    qtbot.waitUntil(lambda: "first" in [panel.tree.topLevelItem(row).text(0) for row in range(8)])
    document.undo()
    qtbot.waitUntil(lambda: "hidden1" in [panel.tree.topLevelItem(row).text(0) for row in range(8)])
    item = next(panel.tree.topLevelItem(row) for row in range(8) if panel.tree.topLevelItem(row).text(0) == "relu1")
    item.setSelected(True)
    assert document.selection.nodes == {("", "relu1")}
