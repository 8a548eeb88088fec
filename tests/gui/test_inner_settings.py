"""Activation and normalisation as settings of a layer, by real keys: card, inspector, defaults of all layers, undo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from engine import edits, groups
from gui.forms.form import Form
from gui.window import MainWindow
from tests.gui.canvas_world import chain
from tests.gui.helpers import opened_window, press_keys, wait_for_check, world


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    with opened_window(qtbot, tmp_path, monkeypatch) as made:
        yield made


def choose(editor: QWidget, letters: str) -> None:
    """Chooses from a list that has the keyboard by the first letters of a line."""
    editor.setFocus()
    target = editor.focusProxy() or editor
    assert target.isVisible()
    QTest.qWait(QApplication.keyboardInputInterval() + 20)  # else the letters would go on with the last ones
    QTest.keyClicks(target, letters)


def shared_form(window: MainWindow, name: str) -> Form:
    shared = window.inspector.shared
    assert shared is not None
    return shared.form_of(name)


def test_what_a_layer_holds_is_chosen_in_the_inspector_and_told_on_its_card(qtbot: QtBot, window: MainWindow) -> None:
    before, at = window.document.project, world(window)
    window.document.selection.select([at.key("hidden1")])
    window.docks.reveal("inspector")
    form = shared_form(window, "activation")
    assert window.inspector.function is not None
    assert not window.inspector.function.isVisible()
    choose(form.editor("activation"), "GEL")
    assert window.document.graph.nodes["hidden1"].params["activation"] == {"type": "gelu"}
    assert window.inspector.function.isVisible(), "the curve of the chosen function"
    assert not form.editor("norm_place").isVisible(), "without a norm its place says nothing"
    choose(form.editor("normalization"), "Ba")
    assert form.editor("norm_place").isVisible()
    assert at.box("hidden1").words.line == "64 · BN · GELU"
    choose(form.editor("norm_place"), "af")
    assert at.box("hidden1").words.line == "64 · GELU · BN"
    facts = wait_for_check(qtbot, window).nodes[at.key("hidden1")]
    assert facts.parameters == 64 * 64 + 64 + 2 * 64, "the norm's factors and shifts count with the layer"
    for _ in range(3):
        press_keys(window.canvas, Qt.Key.Key_Z)
    assert window.document.project == before
    assert at.box("hidden1").words.line == "64 outputs"
    assert not window.inspector.function.isVisible()


def test_a_default_of_all_layers_reaches_cards_and_inspector_but_not_the_last_layer(window: MainWindow) -> None:
    at = world(window)
    window.docks.reveal("recipe")
    form = window.recipe._weights
    window.recipe.ensureWidgetVisible(form)
    assert not form.editor("norm_place").isVisible()
    choose(form.editor("activation"), "Mi")
    choose(form.editor("normalization"), "La")
    assert window.document.graph.defaults == {"activation": {"type": "mish"}, "normalization": {"type": "layer_norm"}}
    assert form.editor("norm_place").isVisible()
    assert at.box("hidden1").words.line == "64 · LN · Mish"
    assert at.box("digits").words.line == "10 outputs", "what gives the scores stays bare"
    window.document.selection.select([at.key("hidden1")])
    window.docks.reveal("inspector")
    shared = window.inspector.shared
    assert shared is not None
    assert "Mish" in shared._sections["Activation and norm"].header.hint
    choose(shared_form(window, "activation").editor("activation"), "No")
    assert at.box("hidden1").words.line == "64 · LN"
    assert at.box("hidden2").words.line == "32 · LN · Mish"
    window.docks.reveal("recipe")
    choose(form.editor("activation"), "No")
    choose(form.editor("normalization"), "No")
    assert window.document.graph.defaults == {}, "none is said by saying nothing"
    assert at.box("hidden2").words.line == "32 outputs"


def test_what_a_block_says_is_told_in_its_rows(window: MainWindow) -> None:
    graph = chain(("images", "input"), ("flat", "flatten"), ("one", "linear"), ("two", "linear"), ("last", "linear"),
                  ("scores", "output"))  # fmt: skip
    keys = [node.id for node in graph.nodes.values() if node.name in ("one", "two")]
    graph, block = groups.group(graph, "", keys, title="hidden")
    window.document.edit_graph("block", lambda _: graph)
    at = world(window)
    window.document.selection.select([("", block)])
    window.docks.reveal("inspector")
    choose(shared_form(window, "activation").editor("activation"), "SE")
    box = window.canvas.scene.box(("", block))
    assert box is not None
    assert [row.words.line for row in box.rows] == ["100 · SELU", "100 · SELU"]
    assert at.box("last").words.line == "100 outputs"


def test_a_layer_grows_by_less_than_the_gap_to_its_neighbour(window: MainWindow) -> None:
    at = world(window)
    window.canvas.tidy()
    norm = {"type": "instance_norm"}
    window.document.edit_graph("norm", lambda g: edits.set_default(g, "normalization", norm))
    window.document.edit_graph("act", lambda g: edits.set_default(g, "activation", {"type": "hard_swish"}))
    for name, behind in (("hidden1", "relu1"), ("hidden2", "relu2")):
        assert at.box(name).words.inner
        assert at.box(name).rect.right() + 8 <= at.box(behind).rect.left()
