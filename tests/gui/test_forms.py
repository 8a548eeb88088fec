"""The recipe's form with real keys: every kind of editor, choices that keep nothing stale, lists, undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from engine.declare import catalogue
from engine.events import Step
from engine.param import Param
from engine.recipe import SETTINGS
from engine.timeline import Timeline
from gui.document import Document
from gui.forms.editors import OpenChoice, make_editor
from gui.forms.form import Form
from gui.forms.tagged import ListEditor, TaggedEditor
from gui.panels.recipe import RecipePanel
from tests.gui.helpers import press, write

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def document(qapp: QApplication) -> Document:
    return Document()


@pytest.fixture
def panel(document: Document, shown: Callable[..., QWidget]) -> RecipePanel:
    made = RecipePanel(document)
    shown(made).resize(340, 2400)
    return made


def editor(panel: RecipePanel, name: str) -> Any:
    return panel.form_for(name).editor(name)


def choose(choice: Any, value: object) -> None:
    """Opens a list of choices and presses one."""
    choice.showPopup()
    view = choice.view()
    index = choice.model().index(choice._values.index(value), 0)
    view.scrollTo(index)
    QTest.mouseClick(view.viewport(), LEFT, pos=view.visualRect(index).center())
    assert choice.value() == value


def test_every_setting_of_the_recipe_has_an_editor(panel: RecipePanel) -> None:
    for name in SETTINGS.by_name:
        assert panel.form_for(name).editor(name).toolTip(), f"{name} has no words of help"


@pytest.mark.parametrize(
    ("name", "text", "value"), [("epochs", "3*7", 21), ("batch_size", "64", 64), ("seed", "1234", 1234)]
)
def test_a_whole_number_reaches_the_recipe_and_undo_takes_it_back(
    panel: RecipePanel, document: Document, name: str, text: str, value: int
) -> None:
    before = document.project.recipe.get(name)
    write(editor(panel, name), text)
    assert document.project.recipe.get(name) == value
    document.undo()
    assert document.project.recipe.get(name) == before
    assert editor(panel, name).value() == before


def test_a_check_reaches_the_recipe(panel: RecipePanel, document: Document) -> None:
    box = editor(panel, "gradient_flow")
    QTest.mouseClick(box, LEFT, pos=QPoint(8, box.height() // 2))
    assert document.project.recipe.get("gradient_flow") is False


def test_a_choice_reaches_the_recipe(panel: RecipePanel, document: Document) -> None:
    choose(editor(panel, "device"), "cpu")
    assert document.project.recipe.get("device") == "cpu"


def test_a_word_beside_those_offered_is_shown_as_it_stands(panel: RecipePanel, document: Document) -> None:
    document.edit("", lambda project: project.with_recipe(project.recipe.with_value("device", "cuda:1")))
    choice = panel.findChild(OpenChoice)
    assert choice is not None
    assert choice.currentText() == "cuda:1"
    document.undo()
    assert choice.currentText() == "auto"


def test_another_optimizer_keeps_nothing_of_the_one_before(panel: RecipePanel, document: Document) -> None:
    tagged: TaggedEditor = editor(panel, "optimizer")
    write(tagged._form.editor("lr"), "0.25")  # type: ignore[union-attr]
    write(tagged._form.editor("momentum"), "0.9")  # type: ignore[union-attr]
    assert document.project.recipe.get("optimizer") == {"type": "sgd", "lr": 0.25, "momentum": 0.9}
    choose(tagged._choice, "adamw")
    assert document.project.recipe.get("optimizer") == {"type": "adamw"}
    shown = {param.name for param in tagged._form._params.values()}  # type: ignore[union-attr]
    assert "weight_decay" in shown
    assert "momentum" not in shown
    document.undo()
    assert tagged._choice.value() == "sgd"  # type: ignore[union-attr]
    assert tagged._form.editor("lr").value() == 0.25  # type: ignore[union-attr]


def test_a_bad_rate_stays_out_of_the_recipe(panel: RecipePanel, document: Document) -> None:
    before = document.project
    field = editor(panel, "optimizer")._form.editor("lr")
    write(field, "-1")
    assert document.project is before
    assert field.message.text()


def test_a_setting_back_at_its_default_leaves_the_file(panel: RecipePanel, document: Document) -> None:
    field = editor(panel, "optimizer")._form.editor("momentum")
    write(field, "0.9")
    write(field, "0")
    assert document.project.recipe.get("optimizer") == {"type": "sgd"}


def test_a_metric_is_added_from_the_menu_and_taken_away_again(
    panel: RecipePanel, document: Document, qtbot: QtBot
) -> None:
    metrics: ListEditor = editor(panel, "metrics")
    start = document.project.recipe.get("metrics")
    press(metrics._add)
    menu = next(one for one in metrics.findChildren(QMenu) if one.isVisible())
    wanted = catalogue().all("metric")["f1"].title
    action = next(one for one in menu.actions() if one.text() == wanted)
    QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())
    assert [item["type"] for item in document.project.recipe.get("metrics")] == ["accuracy", "f1"]
    last = metrics._rows[-1]
    qtbot.waitUntil(last.isVisible)
    press(last.findChildren(QAbstractButton)[0])
    qtbot.wait(1)
    assert document.project.recipe.get("metrics") == start
    assert len(metrics._rows) == 1


def test_settings_of_an_entry_of_a_list_reach_the_recipe(panel: RecipePanel, document: Document) -> None:
    augment: ListEditor = editor(panel, "augment")
    augment._append("crop")
    form = augment._rows[0]._form
    assert form is not None
    name = next(name for name, param in form._params.items() if param.kind in ("int", "size", "padding", "float"))
    was = form.editor(name).value()  # type: ignore[attr-defined]
    write(form.editor(name), "3")
    assert document.project.recipe.get("augment")[0][name] == 3 != was
    document.undo()
    assert form.editor(name).value() == was  # type: ignore[attr-defined]


def test_a_project_that_opens_fills_the_form(panel: RecipePanel, document: Document) -> None:
    from engine.examples import load_example

    document.adopt(load_example("digits-mlp"))
    recipe = document.project.recipe
    assert editor(panel, "epochs").value() == recipe.epochs
    assert editor(panel, "optimizer")._form.editor("lr").value() == recipe.get("optimizer")["lr"]


def test_the_default_of_all_initial_weights_is_written_into_the_graph(panel: RecipePanel, document: Document) -> None:
    choose(panel._weights.editor("initializer")._choice, "he_normal")  # type: ignore[attr-defined]
    assert document.graph.defaults["initializer"]["type"] == "he_normal"
    choose(panel._weights.editor("initializer")._choice, "torch")  # type: ignore[attr-defined]
    assert "initializer" not in document.graph.defaults


KINDS = {
    "int": (Param(name="a", kind="int", default=1, min=0), "5", 5),
    "float": (Param(name="a", kind="float", default=0.1), "1e-3", 1e-3),
    "optional": (Param(name="a", kind="int", default=None, optional=True), "4", 4),
    "text": (Param(name="a", kind="text", default=""), "hello", "hello"),
    "size": (Param(name="a", kind="size", default=3, min=1), "3x5", (3, 5)),
    "padding": (Param(name="a", kind="padding", default=0), "same", "same"),
    "padding number": (Param(name="a", kind="padding", default=0), "2", 2),
    "ints": (Param(name="a", kind="ints", default=()), "3, 4, 5", (3, 4, 5)),
    "floats": (Param(name="a", kind="floats", default=()), "0.5, 15", (0.5, 15.0)),
    "path": (Param(name="a", kind="path", default=""), "data.csv", "data.csv"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_typed_into_an_editor_is_committed_once(shown: Callable[..., QWidget], qtbot: QtBot, kind: str) -> None:
    param, text, value = KINDS[kind]
    field = make_editor(param)
    shown(field)
    heard: list[object] = []
    field.committed.connect(heard.append)  # type: ignore[attr-defined]
    write(field, text)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert heard == [value]


@pytest.mark.parametrize(
    ("param", "text"),
    [
        (Param(name="a", kind="ints", default=()), "3, x"),
        (Param(name="a", kind="floats", default=(), min=0.0), "3, -1"),
        (Param(name="a", kind="padding", default=0), "many"),
        (Param(name="a", kind="size", default=3, min=1), "0"),
    ],
)
def test_what_cannot_be_read_says_why_and_commits_nothing(
    shown: Callable[..., QWidget], qtbot: QtBot, param: Param, text: str
) -> None:
    field: Any = make_editor(param)
    shown(field)
    with qtbot.assertNotEmitted(field.committed):
        write(field, text)
    assert field.message.isVisible()


@pytest.mark.parametrize("name", sorted(catalogue().all("layer")))
def test_every_layer_has_a_form_that_shows_its_defaults(shown: Callable[..., QWidget], name: str) -> None:
    declaration = catalogue().all("layer")[name]
    form = Form(declaration.params)
    shown(form)
    form.set_values({})
    for param in declaration.params:
        value = form.editor(param.name).value()  # type: ignore[attr-defined]
        assert value == param.default or (value, param.default) in (("", None), (None, ""))


def test_a_setting_that_means_nothing_now_is_hidden(shown: Callable[..., QWidget]) -> None:
    declaration = catalogue().all("dataset")["npz"]
    form = Form(declaration.params)
    shown(form)
    dependent = next(param for param in declaration.params if param.shown_if is not None)
    assert dependent.shown_if is not None
    other, wanted = dependent.shown_if
    form.set_values({other: wanted[0]})
    assert not form.editor(dependent.name).isHidden()
    rest = next(one for one in declaration.by_name[other].choices if one not in wanted)
    form.set_values({other: rest})
    assert form.editor(dependent.name).isHidden()


def test_the_planned_rate_is_drawn_before_training_and_marked_while_it_runs(
    panel: RecipePanel, document: Document
) -> None:
    rates = panel.rates
    assert {item.rate for item in rates.planned} == {float(document.project.recipe.made("optimizer").lr)}
    cycle = {"type": "one_cycle"}
    document.edit("", lambda project: project.with_recipe(project.recipe.with_value("schedule", cycle)))
    drawn = [item.rate for item in rates.planned]
    assert max(drawn) > 5 * drawn[0]
    assert drawn[-1] < drawn[0] / 20
    assert "at most" in rates.toolTip()
    rates.resize(240, 74)
    plain = rates.grab().toImage()
    timeline = Timeline()
    timeline.add(Step(rates.planned[-1].step // 2, 1, 0.1, 0.5))
    rates.show_timeline(timeline)
    assert rates.now == rates.planned[-1].step // 2
    assert rates.grab().toImage() != plain
    rates.show_timeline(None)
    assert rates.now == 0
    assert rates.grab().toImage() == plain


@pytest.mark.parametrize("name", catalogue().all("schedule"))
def test_every_schedule_has_a_form_and_comes_back_to_the_recipe(
    panel: RecipePanel, document: Document, name: str
) -> None:
    field = editor(panel, "schedule")
    choose(field._choice, name)
    assert document.project.recipe.get("schedule") == {"type": name}
    declaration = catalogue().all("schedule")[name]
    for param in declaration.params:
        assert field._form.editor(param.name).toolTip()


def test_parts_of_a_chain_are_edited_in_their_own_forms(panel: RecipePanel, document: Document) -> None:
    chain = {"type": "chain", "parts": ({"type": "warmup"}, {"type": "plateau"}), "lengths": (2.0,)}
    document.edit("", lambda project: project.with_recipe(project.recipe.with_value("schedule", chain)))
    field = editor(panel, "schedule")
    write(field._form.editor("parts")._rows[1]._form.editor("patience"), "7")
    write(field._form.editor("lengths"), "2.5")
    wanted = {**chain, "parts": ({"type": "warmup"}, {"type": "plateau", "patience": 7}), "lengths": (2.5,)}
    assert document.project.recipe.get("schedule") == wanted
