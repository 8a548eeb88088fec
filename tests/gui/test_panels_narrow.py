"""Recipe and inspector stand whole in the narrowest right column, whatever is chosen in them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QWidget

from engine import edits
from engine.declare import catalogue
from engine.examples import load_example
from engine.graph import Graph
from engine.recipe import SETTINGS
from gui.document import Document
from gui.panels.inspector import InspectorPanel
from gui.panels.recipe import RecipePanel
from gui.widgets.choices import Choice

NARROWEST = 264 - 10
"""The right column less the scroll bar."""
TAGGED = [param for param in SETTINGS.params if param.kind == "tagged" and param.of != "record"]


@pytest.fixture
def document(qapp: object) -> Document:
    made = Document()
    made.adopt(load_example("digits-mlp"))
    return made


@pytest.mark.parametrize("name", [param.name for param in TAGGED])
def test_every_choice_of_the_recipe_fits(document: Document, shown: Callable[..., QWidget], name: str) -> None:
    panel = RecipePanel(document)
    shown(panel).resize(264, 700)
    for type_name in catalogue().all(SETTINGS.by_name[name].of):
        recipe = document.project.recipe.with_value(name, {"type": type_name})
        document.edit("choose", lambda project, recipe=recipe: project.with_recipe(recipe))
        content = panel.widget()
        content.adjustSize()
        assert content.minimumSizeHint().width() <= NARROWEST, f"{name} {type_name} is wider than its column"


def test_every_layer_fits_in_the_inspector(document: Document, shown: Callable[..., QWidget]) -> None:
    panel = InspectorPanel(document)
    shown(panel).resize(264, 700)
    for type_name in catalogue().all("layer"):
        graph, node = edits.add_node(Graph(), "", type_name)
        document.edit_graph("add", lambda _graph, graph=graph: graph)
        document.selection.select([("", node.id)])
        assert panel.widget().minimumSizeHint().width() <= NARROWEST, f"{type_name} is wider than its column"
    panel._jobs.close()


def test_long_words_of_a_choice_end_in_an_ellipsis(shown: Callable[..., QWidget]) -> None:
    choice = Choice([(1, "Nothing is as long as these words are"), (2, "Short")], 1)
    shown(choice).resize(100, 28)
    narrow = choice.grab().toImage()
    cut = QFontMetrics(choice.font()).elidedText(choice.currentText(), Qt.TextElideMode.ElideRight, choice.room())
    choice.set_options([(1, cut), (2, "Short")])
    choice.set_value(1)
    assert "…" in choice.currentText()
    assert choice.grab().toImage() == narrow
