"""The inspector with real keys: what is typed reaches the network once, can be undone, and nonsense stays out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from engine import edits, groups
from engine.examples import load_example
from engine.problem import Problem
from engine.runtime.analyze import analyze
from gui.document import Document
from gui.panels.inspector import InspectorPanel
from gui.widgets.choices import Check
from gui.widgets.section import CollapsibleSection
from tests.gui.helpers import write


@pytest.fixture
def document(qapp: object) -> Document:
    made = Document()
    made.adopt(load_example("digits-mlp"))
    return made


@pytest.fixture
def inspector(document: Document, shown: Callable[..., QWidget]) -> Iterator[InspectorPanel]:
    panel = InspectorPanel(document)
    shown(panel).resize(320, 800)
    document.selection.select([("", "hidden1")])
    document.accept(analyze(document.project), document.project)
    yield panel
    panel._jobs.close()


def words(panel: QWidget) -> str:
    return "\n".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


def test_nothing_selected_says_what_to_do(inspector: InspectorPanel, document: Document) -> None:
    document.selection.clear()
    assert "Nothing selected" in words(inspector)


def test_several_layers_are_counted_with_their_parameters(inspector: InspectorPanel, document: Document) -> None:
    document.selection.select([("", "hidden1"), ("", "hidden2")])
    assert "2 layers selected" in words(inspector)
    assert "6,240 parameters" in words(inspector)


def test_what_is_entered_for_several_layers_holds_for_all_and_is_one_step(
    inspector: InspectorPanel, document: Document
) -> None:
    before = document.project
    document.selection.select([("", "hidden1"), ("", "hidden2")])
    many = inspector.many
    assert many is not None
    assert many.form is not None
    assert many.shared is not None
    assert "Not the same in all: units" in words(inspector)
    write(many.form.editor("units"), "40")
    assert [document.graph.nodes[name].params["units"] for name in ("hidden1", "hidden2")] == [40, 40]
    assert "Not the same" not in words(inspector)
    assert many is inspector.many, "the form must stay under the hand that types"
    many.shared.committed.emit("max_norm", 2.0)
    assert [document.graph.nodes[name].params["max_norm"] for name in ("hidden1", "hidden2")] == [2.0, 2.0]
    document.undo()
    document.undo()
    assert document.project == before


def test_layers_of_different_kinds_show_only_what_they_share(inspector: InspectorPanel, document: Document) -> None:
    document.selection.select([("", "hidden1"), ("", "relu1")])
    assert inspector.many is not None
    assert inspector.many.form is None
    assert "no setting in common" in words(inspector)


def test_the_count_of_several_layers_follows_the_network(inspector: InspectorPanel, document: Document) -> None:
    document.selection.select([("", "hidden1"), ("", "hidden2")])
    assert inspector.many is not None
    assert inspector.many.form is not None
    write(inspector.many.form.editor("units"), "10")
    document.accept(analyze(document.project), document.project)
    assert f"{64 * 10 + 10 + 10 * 10 + 10} parameters" in words(inspector)


def test_enter_writes_a_setting_and_undo_takes_it_back(inspector: InspectorPanel, document: Document) -> None:
    assert inspector.form is not None
    field = inspector.form.editor("units")
    write(field, "96")
    assert document.graph.nodes["hidden1"].params["units"] == 96
    document.undo()
    assert document.graph.nodes["hidden1"].params["units"] == 64
    assert field.entry.text() == "64"  # type: ignore[attr-defined]


def test_a_sum_may_be_typed(inspector: InspectorPanel, document: Document) -> None:
    assert inspector.form is not None
    field = inspector.form.editor("units")
    write(field, "2*64")
    assert document.graph.nodes["hidden1"].params["units"] == 128
    assert field.entry.text() == "128"  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", ["-3", "abc", "1.5", ""])
def test_a_bad_value_is_marked_and_not_taken(inspector: InspectorPanel, document: Document, text: str) -> None:
    assert inspector.form is not None
    before = document.project
    field = inspector.form.editor("units")
    write(field, text)
    assert document.project is before
    assert field.message.isVisible()  # type: ignore[attr-defined]
    assert field.entry.property("invalid")  # type: ignore[attr-defined]


def test_one_value_is_one_step_of_undo(inspector: InspectorPanel, document: Document) -> None:
    assert inspector.form is not None
    field = inspector.form.editor("units")
    write(field, "96")
    QTest.keyClick(field.entry, Qt.Key.Key_Tab)  # type: ignore[attr-defined]
    document.undo()
    assert not document.undo_label


def test_the_bias_says_what_it_costs_and_is_taken_by_a_press(inspector: InspectorPanel, document: Document) -> None:
    assert inspector.form is not None
    check = inspector.form.editor("bias")
    assert isinstance(check, Check)
    assert inspector.form.note("bias") == "64 parameters"
    QTest.mouseClick(check, Qt.MouseButton.LeftButton, pos=QPoint(8, check.height() // 2))
    assert document.graph.nodes["hidden1"].params["bias"] is False
    assert inspector.form.note("bias") == ""


def test_a_layer_is_renamed_at_the_top(inspector: InspectorPanel, document: Document) -> None:
    write(inspector._head.name, "wide")
    assert document.graph.nodes["hidden1"].name == "wide"


@pytest.mark.parametrize("name", ["relu1", "class", "has space", "9lives"])
def test_a_bad_name_is_refused_with_its_reason(
    inspector: InspectorPanel, document: Document, qtbot: QtBot, name: str
) -> None:
    with qtbot.waitSignal(document.refused, timeout=1000) as heard:
        write(inspector._head.name, name)
    assert isinstance(heard.args[0], Problem)
    assert heard.args[0].happened
    assert document.graph.nodes["hidden1"].name == "hidden1"
    assert inspector._head.name.text() == "hidden1"


def test_shapes_and_cost_stand_at_the_top(inspector: InspectorPanel) -> None:
    said = words(inspector)
    assert "4,160 parameters" in said
    assert "64  ›  64" in said


def test_a_batch_norm_tells_what_is_not_trained_and_both_ways_to_count_momentum(
    inspector: InspectorPanel, document: Document
) -> None:
    document.adopt(load_example("chapter/E08"))
    document.accept(analyze(document.project), document.project)
    norm = next(node for node in document.graph.nodes.values() if node.type == "batch_norm1d")
    document.selection.select([("", norm.id)])
    assert "1,568 trained, 1,568 not" in words(inspector)
    assert inspector.form is not None
    assert norm.params["momentum"] == 0.01
    assert inspector.form.note("momentum") == "0.99 in Keras"
    assert "0.99 in Keras" in words(inspector)
    write(inspector.form.editor("momentum"), "0.1")
    assert inspector.form.note("momentum") == "0.9 in Keras"


def test_a_problem_of_the_layer_is_told(inspector: InspectorPanel, document: Document) -> None:
    document.edit_graph("Wrong", lambda graph: edits.remove_nodes(graph, "", ["flatten"]))
    document.selection.select([("", "hidden1")])
    document.accept(analyze(document.project), document.project)
    told = [problem for problem in document.analysis.problems if problem.where.node == "hidden1"]
    assert told
    assert told[0].happened in words(inspector)


def test_a_note_is_written_and_kept(inspector: InspectorPanel, document: Document) -> None:
    section = next(
        part for part in inspector.findChildren(CollapsibleSection) if inspector._note in part.findChildren(QWidget)
    )
    section.set_open(True)
    write(inspector._note, "why 64")
    assert document.graph.nodes["hidden1"].note == "why 64"


def test_the_repeat_of_a_block_is_set(inspector: InspectorPanel, document: Document) -> None:
    made: list[str] = []

    def change(graph: object) -> object:
        graph, block = groups.group(graph, "", ["hidden2", "relu2"])  # type: ignore[arg-type]
        made.append(block)
        return graph

    document.edit_graph("Group", change)  # type: ignore[arg-type]
    document.selection.select([("", made[0])])
    write(inspector._repeat, "20")
    assert document.graph.nodes[made[0]].repeat == 20
    document.undo()
    assert document.graph.nodes[made[0]].repeat == 1
    assert inspector._repeat.value() == 1


def test_an_initialiser_of_its_own_is_chosen_and_the_default_named(
    inspector: InspectorPanel, document: Document
) -> None:
    assert inspector.shared is not None
    choice = inspector.shared.form_of("initializer").editor("initializer")._choice  # type: ignore[attr-defined]
    QTest.keyClick(choice, Qt.Key.Key_Down)
    chosen = document.graph.nodes["hidden1"].params["initializer"]
    assert chosen["type"] == choice.value()
    document.undo()
    assert "initializer" not in document.graph.nodes["hidden1"].params
    assert choice.value() is None


def test_what_a_block_says_holds_inside_and_is_told_there(inspector: InspectorPanel, document: Document) -> None:
    document.adopt(load_example("fashion-mlp"))
    block = next(node for node in document.graph.nodes.values() if node.is_group)
    document.selection.select([("", block.id)])
    assert inspector.shared is not None
    choice = inspector.shared.form_of("regularizer").editor("regularizer")._choice  # type: ignore[attr-defined]
    choice.setCurrentIndex(choice.findText("l2"))
    choice.activated.emit(choice.currentIndex())
    assert document.graph.nodes[block.id].params["regularizer"] == {"type": "l2"}
    linear = next(node for node in document.graph.definitions[block.definition].nodes.values() if node.type == "linear")
    document.selection.select([(block.definition, linear.id)])
    section = next(one for one in inspector.findChildren(CollapsibleSection) if one.header.hint == "l2 0.01")
    assert f"the block {block.name} says" in section.toolTip()
    assert analyze(document.project).rules["hidden.0.linear"].l2 == 0.01


def test_the_inspector_follows_a_layer_that_is_deleted(inspector: InspectorPanel, document: Document) -> None:
    document.edit_graph("Delete", lambda graph: edits.remove_nodes(graph, "", ["hidden1"]))
    assert "Nothing selected" in words(inspector)


@pytest.mark.parametrize("name", ["cifar-resnet", "digits-lstm", "fashion-cnn", "housing"])
def test_in_the_narrowest_dock_nothing_is_cut_off_at_the_right(
    styled: QApplication, inspector: InspectorPanel, document: Document, name: str
) -> None:
    inspector.resize(264, 700)
    document.adopt(load_example(name))
    document.accept(analyze(document.project), document.project)
    shown = 0
    for definition, level in document.graph.levels():
        for node in level.nodes.values():
            if node.type in ("group_input", "group_output"):
                continue
            document.selection.select([(definition, node.id)])
            content = inspector.widget()
            assert content is not None
            assert content.minimumSizeHint().width() <= 264, (node.name, content.minimumSizeHint().width())
            shown += 1
    assert shown > 4


def test_fans_deviation_and_a_histogram_of_what_will_be_drawn(
    qtbot: QtBot, inspector: InspectorPanel, document: Document
) -> None:
    draws = inspector.shared.draws if inspector.shared else None
    assert draws is not None
    assert draws.words.text() == "fan in 64 · out 64 · σ 0.0722"  # PyTorch's own: uniform between ±1/√64
    qtbot.waitUntil(lambda: 0.12 < draws.histogram.reach < 0.13, timeout=30_000)
    document.edit_graph("", lambda graph: edits.set_param(graph, "", "hidden1", "initializer", {"type": "zeros"}))
    document.accept(analyze(document.project), document.project)
    qtbot.waitUntil(lambda: draws.histogram.reach == 1.0, timeout=30_000)
    assert draws.words.text().endswith("σ 0")
    document.selection.select([("", next(n.id for n in document.graph.nodes.values() if n.type == "relu"))])
    assert inspector.shared is None


def test_an_activation_is_drawn_with_its_derivative_and_others_over_it(
    qtbot: QtBot, inspector: InspectorPanel, document: Document
) -> None:
    relu = next(node.id for node in document.graph.nodes.values() if node.type == "relu")
    document.selection.select([("", relu)])
    section = inspector.function
    assert section is not None
    qtbot.waitUntil(lambda: len(section.plot.lines) == 1, timeout=30_000)
    (line,) = section.plot.lines
    assert (line.name, line.y.min(), line.slope.max()) == ("ReLU", 0.0, 1.0)
    section._menu.aboutToShow.emit()
    choices = {action.text(): action for action in section._menu.actions()}
    assert "ReLU" not in choices
    choices["GELU"].trigger()
    choices["Tanh"].trigger()
    qtbot.waitUntil(lambda: len(section.plot.lines) == 3, timeout=30_000)
    assert section.plot.lines[-1].name == "ReLU"  # the layer's own lies on top
    assert section.names.text() == "GELU, Tanh"
    assert len({one.token for one in section.plot.lines}) == 3
    choices["GELU"].trigger()
    qtbot.waitUntil(lambda: len(section.plot.lines) == 2, timeout=30_000)
    assert not section.plot.grab().toImage().isNull()
    document.selection.select([("", "hidden1")])
    assert inspector.function is not None
    assert not inspector.function.isVisible(), "this layer holds no activation"
