"""The Predict dock as a person uses it: drawing, files, pasting, samples, rows, layers, reasons, folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from engine.asked import LAYER, Desk, FromData, Question
from engine.examples import load_example
from engine.places import Places
from engine.project import Project
from engine.runtime.desk import answer
from engine.runtime.restore import load_run
from engine.runtime.session import run as train
from engine.settings import set_value
from gui.document import Document
from gui.jobs import Jobs
from gui.numbers import number
from gui.panels.predict import PredictPanel
from tests.gui.helpers import LEFT, press, press_keys, write


def trained(folder: Path, project: Project, **values: object) -> Path:
    for name, value in {"epochs": 2, **values}.items():
        project = set_value(project, f"recipe.{name}", str(value))
    events = list(train(project, runs=folder, places=Places(beside=folder), device="cpu", threads=1))
    return Path(events[0].run)  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("digits"), load_example("digits-cnn"), epochs=3, batch_size=8)


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prices")
    rows = [f"{place % 40},{'near' if place % 3 else 'far'},{1000 + 50 * (place % 40)}" for place in range(120)]
    (folder / "table.csv").write_text("size,where,price\n" + "\n".join(rows) + "\n")
    data = '{"type": "csv", "path": "table.csv", "target": "price", "task": "regression"}'
    return trained(folder, set_value(load_example("housing"), "recipe.data", data), epochs=20)


class Hands:
    """The panel with what a person does to it."""

    def __init__(self, qtbot: QtBot, panel: PredictPanel, document: Document) -> None:
        self.qtbot, self.panel, self.document = qtbot, panel, document
        self.problems: list = []
        panel.problem.connect(self.problems.append)

    @property
    def body(self):
        return self.panel.body

    def wait(self) -> None:
        """Until the last question is answered."""
        self.qtbot.waitUntil(lambda: not self.body._busy, timeout=30_000)

    def draw(self, *points: tuple[float, float]) -> None:
        """A stroke through points given as shares of the pad."""
        pad = self.body.input.draw.pad
        box = pad._pad()
        places = [QPoint(int(box.x() + x * box.width()), int(box.y() + y * box.height())) for x, y in points]
        QTest.mousePress(pad, LEFT, pos=places[0])
        for place in places[1:]:
            QTest.mouseMove(pad, place)
        QTest.mouseRelease(pad, LEFT, pos=places[-1])

    def best(self) -> str:
        return self.body.answer.rows.rows[0].name

    def go(self, page: QWidget) -> None:
        """Presses the way in that leads to a page."""
        way = self.body.input
        press(way.switch.segment(way._offered.index(page)))


@pytest.fixture
def make(qtbot: QtBot, styled: QApplication) -> Iterator:
    made: list[tuple[QWidget, Jobs]] = []

    def build(run: Path) -> Hands:
        # All in one window, as in the program: what a thread of a job may find to collect is no object of Qt's then.
        window = QWidget()
        qtbot.addWidget(window)
        document, jobs = Document(window), Jobs(window)
        panel = PredictPanel(document, jobs, lambda: Places(beside=run.parent), window)
        QVBoxLayout(window).addWidget(panel)
        window.resize(1200, 290)
        window.show()
        panel.ask_run(run)
        made.append((window, jobs))
        window.activateWindow()
        qtbot.waitUntil(lambda: panel.body.input.switch.segment(0).isVisible() and panel.isActiveWindow())
        return Hands(qtbot, panel, document)

    yield build
    for _, jobs in made:
        jobs.close()


def test_a_drawn_one_is_read_and_follows_what_is_taken_back(make, digits):
    hands = make(digits)
    hands.draw((0.5, 0.1), (0.5, 0.9))
    hands.wait()
    pad, rows = hands.body.input.draw, hands.body.answer.rows
    assert hands.best() in ("1", "8", "4")
    assert len(rows.rows) == 10
    first = rows.rows
    hands.draw((0.1, 0.1), (0.9, 0.1))
    hands.wait()
    assert rows.rows != first
    press(pad.undo)
    hands.wait()
    assert rows.rows == first
    press(pad.clear)
    assert not rows.rows
    assert not pad.undo.isEnabled()
    assert "cut out" not in hands.body.inside.words.text()


def test_keys_of_the_pad_belong_to_the_pad(make, digits):
    hands = make(digits)
    hands.draw((0.2, 0.2), (0.8, 0.8))
    hands.draw((0.2, 0.8), (0.8, 0.2))
    pad = hands.body.input.draw.pad
    pad.setFocus()
    press_keys(pad, Qt.Key.Key_Z)
    assert pad.num_strokes == 1
    QTest.keyClick(pad, Qt.Key.Key_Delete)
    assert pad.num_strokes == 0
    hands.wait()


def test_many_moves_are_answered_by_few_questions_and_the_last_one_counts(make, digits):
    hands = make(digits)
    asked = []
    hands.panel._jobs.started.connect(asked.append)
    hands.draw(*[(0.2 + 0.002 * step, 0.2 + 0.0025 * step) for step in range(200)])
    hands.wait()
    assert 1 <= len(asked) <= 150
    shown = []
    hands.body.answer.show_reply = shown.append
    for step in range(30):
        hands.draw((0.1, 0.03 * step), (0.9, 0.03 * step))
        hands.qtbot.wait(2)
    hands.wait()
    assert len(shown) > 3  # a newer question that always waits keeps no answer from being shown
    del hands.body.answer.show_reply
    hands.body.ask()
    hands.wait()
    said = hands.body.answer.rows.rows
    hands.body.ask()
    hands.wait()
    assert hands.body.answer.rows.rows == said


def test_a_sample_of_the_data_is_said_to_be_right_or_wrong(make, digits):
    hands = make(digits)
    page = hands.body.input.sample
    hands.go(page)
    write(page.place, "3")
    hands.wait()
    reply = answer(Question(digits, FromData("val", 3)), Desk(), Places())
    ((name, said),) = reply.answers.items()
    shown = {row.name: row for row in hands.body.answer.rows.rows}
    assert {row.name: row.words for row in shown.values()} == {one: number(score) for one, score in said.scores}
    assert shown[reply.truth[name]].mark == ("right" if reply.is_right(name) else "truth")
    assert reply.truth[name] in page.words.text()
    press(page.random)
    hands.wait()
    assert not page.picture.image.isNull()


def test_a_file_is_dropped_and_an_oddity_is_told(make, digits, tmp_path):
    hands = make(digits)
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "clear.png"))])
    event = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, LEFT, Qt.KeyboardModifier.NoModifier)
    hands.panel.dropEvent(event)
    hands.wait()
    assert "transparent" in hands.body.answer.banner.title.text()
    assert hands.body.answer.rows.rows
    (tmp_path / "broken.png").write_text("no image")
    hands.body.input.file.use_file(tmp_path / "broken.png")
    hands.wait()
    assert "cannot be read" in hands.body.answer.banner.title.text()
    assert not hands.body.answer.rows.rows


def test_an_image_is_pasted_and_text_is_refused(make, digits):
    hands = make(digits)
    image = QImage(30, 40, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    QApplication.clipboard().setImage(image)
    hands.body.input.draw.pad.setFocus()
    press_keys(hands.panel, Qt.Key.Key_V)
    hands.wait()
    assert "30×40" in hands.body.input.file.name.text()
    assert hands.body.answer.rows.rows
    QApplication.clipboard().setText("words")
    press(hands.body.input.file.paste)
    assert "neither an image nor a file" in hands.problems[0].happened


def test_of_several_samples_of_a_file_one_is_chosen(make, digits, tmp_path):
    hands = make(digits)
    draw = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", x=draw.integers(0, 16, (5, 1, 8, 8)).astype(np.float32))
    hands.go(hands.body.input.file)
    hands.body.input.file.use_file(tmp_path / "a.npz")
    hands.wait()
    first = hands.body.answer.rows.rows
    write(hands.body.input.file.row, "4")
    hands.wait()
    assert hands.body.answer.rows.rows != first
    assert hands.body.input.file.name.text() == "5 samples"


def test_a_layer_is_chosen_in_the_list_and_on_the_canvas(make, digits):
    hands = make(digits)
    inside = hands.body.inside
    hands.draw((0.5, 0.1), (0.5, 0.9))
    press(inside.switch.segment(1))
    hands.wait()
    assert inside.look == LAYER
    assert inside.maps.num_drawn == 16
    project = load_run(digits).project
    hands.document.adopt(project)
    node = next(one.node for one in inside._layers if one.path == "head.hidden")
    hands.document.selection.select([node])
    hands.wait()
    assert inside.path == "head.hidden"
    assert len(inside.bars.rows) == 64
    assert "64, numbers from" in inside.words.text()


def test_why_an_answer_was_given_and_what_speaks_for_another_class(make, digits):
    hands = make(digits)
    hands.draw((0.5, 0.1), (0.5, 0.9))
    press(hands.body.inside.switch.segment(2))
    hands.wait()
    assert hands.body.inside.words.text().startswith(f"For {hands.best()}:")
    assert not hands.body.inside.picture.image.isNull()
    rows = hands.body.answer.rows
    QTest.mouseClick(rows.viewport(), LEFT, pos=QPoint(40, rows._height() + 5))
    hands.wait()
    assert hands.body.inside.words.text().startswith(f"For {rows.rows[1].name}:")
    QTest.keyClick(rows, Qt.Key.Key_Down)
    hands.wait()
    assert hands.body.inside.words.text().startswith(f"For {rows.rows[2].name}:")
    hands.body.inside.method.setCurrentIndex(1)
    hands.body.inside.method.activated.emit(1)
    hands.wait()
    assert hands.body.inside.words.text() == f"Orange: what speaks for {rows.rows[2].name}, at features.pool"


def test_with_dropout_the_spread_is_told(make, digits):
    hands = make(digits)
    hands.draw((0.5, 0.1), (0.5, 0.9))
    hands.wait()
    press(hands.body.answer.mc)
    hands.wait()
    assert all("±" in row.words for row in hands.body.answer.rows.rows)
    assert max(row.spread for row in hands.body.answer.rows.rows) > 0


def test_a_row_is_typed_and_answered_with_its_value(make, prices):
    hands = make(prices)
    page = hands.body.input.cells
    assert hands.body.input.pages.currentWidget() is page
    size = next(field for field in page.findChildren(QWidget) if field.accessibleName() == "size")
    write(size, "30")
    hands.wait()
    (row,) = hands.body.answer.rows.rows
    assert row.name == "price"
    dear = row.value
    write(size, "3", enter=False)
    hands.wait()
    assert hands.body.answer.rows.rows[0].value < dear
    write(size, "much", enter=False)
    hands.wait()
    assert "no number" in hands.body.answer.banner.title.text()
    press(page.random)
    hands.wait()
    assert "In truth" in page.words.text()
    assert hands.body.answer.rows.rows


def test_a_folder_is_written_as_csv_with_what_could_not_be_used(make, digits, tmp_path):
    hands = make(digits)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for place in range(3):
        Image.new("L", (8, 8), 80 * place).save(folder / f"{place}.png")
    (folder / "broken.png").write_text("no")
    hands.body.write_folder(folder, tmp_path / "out.csv")
    part = hands.body.folder
    hands.qtbot.waitUntil(lambda: part.progress.isHidden() and part.list.topLevelItemCount() > 0, timeout=30_000)
    assert "3 samples of 4 files" in part.title.text()
    assert part.list.topLevelItem(0).text(0) == "broken.png"
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 5
    press(part.back)
    assert hands.body.answer.isVisible()


def test_before_anything_is_trained_the_panel_says_what_to_do(qtbot, styled):
    document, jobs = Document(), Jobs()
    panel = PredictPanel(document, jobs, Places)
    qtbot.addWidget(panel)
    panel.resize(900, 240)
    panel.show()
    wanted = []
    panel.train_requested.connect(lambda: wanted.append(True))
    qtbot.waitUntil(lambda: panel.body.isEnabledTo(panel) is False and panel.train.isVisible())
    press(panel.train)
    assert wanted
    jobs.close()


def test_every_control_has_a_tip_and_can_be_reached_by_keyboard(make, digits):
    hands = make(digits)
    hands.qtbot.wait(1)  # what was replaced is gone after a turn of the event loop
    for control in hands.panel.findChildren(QAbstractButton):
        if control.parent().metaObject().className() not in ("QLineEdit", "Entry"):
            assert control.toolTip() or control.parentWidget().toolTip(), control.text()
            assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control.text()


def test_a_training_beside_the_panel_ends_in_the_same_bits(make, tmp_path):
    """Decision 24, from the window: drawing with dropout on while a training draws its own numbers."""
    from engine.examples import load_example as example

    project = set_value(set_value(example("digits-cnn"), "recipe.epochs", "1"), "recipe.batch_size", "16")
    ends = []
    for asks in (False, True):
        events = train(project, runs=tmp_path / str(asks), places=Places(), device="cpu", threads=1)
        path = Path(next(events).run)  # type: ignore[union-attr]
        hands = None
        for place, _event in enumerate(events):
            if asks and place == 10:
                hands = make(path)
                hands.body.answer.mc.set_value(True)
            if hands is not None and place % 12 == 0:
                hands.draw((0.2, 0.1 + place / 400), (0.8, 0.9))
                QApplication.processEvents()
        if hands is not None:
            hands.wait()
            hands.body.ask()
            hands.wait()
            assert "Weights of the checkpoint last" in hands.body.answer.weights.text()
        ends.append(load_run(path, "last").model.state_dict())
    assert all(torch.equal(value, ends[1][key]) for key, value in ends[0].items())
