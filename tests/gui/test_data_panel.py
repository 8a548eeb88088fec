"""The data panel with real clicks: what is read is shown, what cannot be read says why, and nothing blocks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from engine.known import known_data
from engine.places import Places
from engine.project import Project
from gui.document import Document
from gui.jobs import Jobs
from gui.panels.data import DataPanel
from gui.panels.data_look import picture

Make = Callable[..., DataPanel]
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def document() -> Document:
    return Document()


@pytest.fixture
def jobs(qapp: object) -> Iterator[Jobs]:
    made = Jobs()
    yield made
    made.cancel_all()


@pytest.fixture
def panel(document: Document, jobs: Jobs, shown: Callable[..., QWidget], tmp_path: Path, qtbot: QtBot) -> DataPanel:
    made = DataPanel(document, jobs, lambda: Places(beside=tmp_path, folder=tmp_path / "data"))
    shown(made).resize(1140, 260)
    return made


def use(document: Document, **data: object) -> None:
    document.adopt(Project().with_recipe(Project().recipe.with_value("data", data)))


def settled(qtbot: QtBot, panel: DataPanel, jobs: Jobs) -> None:
    qtbot.waitUntil(lambda: not jobs.busy and not panel._settle.isActive(), timeout=20_000)


def test_before_torch_is_there_the_panel_says_so_and_shows_what_is_known(panel: DataPanel) -> None:
    assert "Preparing" in panel.notice.shown.title.text()
    assert panel.about.rows["samples"].value.text() == "1,438 + 359"


def test_digits_show_images_their_balance_and_their_summary(panel: DataPanel, jobs: Jobs, qtbot: QtBot) -> None:
    said: list[str] = []
    panel.summary_changed.connect(said.append)
    panel.set_ready()
    settled(qtbot, panel, jobs)
    assert panel.samples.gallery.isVisible()
    assert panel.samples.gallery.num_visible >= 8
    assert panel.balance.words.text() == "nearly even: 174 to 183 each"
    assert said[-1] == "Digits: 1,438 + 359"


def test_reading_writes_the_fingerprint_into_the_project_without_an_edit(
    panel: DataPanel, document: Document, jobs: Jobs, qtbot: QtBot
) -> None:
    panel.set_ready()
    settled(qtbot, panel, jobs)
    known = known_data(document.project)
    assert known is not None
    assert len(known.fingerprint) == 64
    assert not document.undo_label
    assert panel.about.rows["fingerprint"].value.text() == known.fingerprint[:10]


def test_the_split_is_switched_with_the_mouse(panel: DataPanel, jobs: Jobs, qtbot: QtBot) -> None:
    panel.set_ready()
    settled(qtbot, panel, jobs)
    qtbot.mouseClick(panel.samples.split.segment(1), LEFT)
    settled(qtbot, panel, jobs)
    assert panel.samples.hint.text().endswith("of 359")


def test_other_samples_are_really_others(panel: DataPanel, jobs: Jobs, qtbot: QtBot) -> None:
    panel.set_ready()
    settled(qtbot, panel, jobs)
    before = panel.samples.gallery.grab().toImage()
    qtbot.mouseClick(panel.samples.others, LEFT)
    settled(qtbot, panel, jobs)
    assert panel.samples.gallery.grab().toImage() != before


def test_augmented_images_stand_behind_their_originals(
    panel: DataPanel, document: Document, jobs: Jobs, qtbot: QtBot
) -> None:
    panel.set_ready()
    settled(qtbot, panel, jobs)
    assert not panel.samples.augment.isVisible()
    document.edit(
        "flip", lambda one: one.with_recipe(one.recipe.with_value("augment", [{"type": "horizontal_flip", "p": 1.0}]))
    )
    settled(qtbot, panel, jobs)
    qtbot.mouseClick(panel.samples.augment.segment(1), LEFT)
    settled(qtbot, panel, jobs)
    shown = panel.samples.gallery._shown
    assert shown.images[1] == shown.images[0].flipped(Qt.Orientation.Horizontal)
    assert not panel.samples.split.isEnabled()


def test_choosing_another_data_set_is_one_edit_and_is_read(
    panel: DataPanel, document: Document, jobs: Jobs, qtbot: QtBot
) -> None:
    panel.set_ready()
    settled(qtbot, panel, jobs)
    panel.about.choice.setFocus()
    panel.about.choice.setCurrentIndex(panel.about.choice.findText("Spirals"))
    panel.about.choice.activated.emit(panel.about.choice.currentIndex())
    assert document.project.recipe.get("data")["type"] == "spirals"
    settled(qtbot, panel, jobs)
    assert panel.samples.scatter.isVisible()
    document.undo()
    settled(qtbot, panel, jobs)
    assert panel.samples.gallery.isVisible()


def test_a_dropped_table_asks_for_its_column_and_then_shows_its_rows(
    panel: DataPanel, document: Document, jobs: Jobs, qtbot: QtBot, tmp_path: Path
) -> None:
    table = tmp_path / "flats.csv"
    table.write_text("size,rooms,price\n" + "\n".join(f"{20 + n},{n % 4 + 1},{1000.5 + 31 * n}" for n in range(50)))
    panel.set_ready()
    panel.use_path(table)
    assert document.project.recipe.get("data") == {"type": "csv", "path": "flats.csv"}
    qtbot.waitUntil(lambda: panel.notice.columns is not None, timeout=10_000)
    panel.notice.columns.setCurrentIndex(3)
    panel.notice.columns.activated.emit(3)
    settled(qtbot, panel, jobs)
    assert document.project.recipe.get("data")["target"] == "price"
    model = panel.samples.rows.model()
    assert [model.headerData(at, Qt.Orientation.Horizontal) for at in range(3)] == ["price", "size", "rooms"]
    assert panel.balance.title.text() == "Spread of the answer"


def test_data_that_must_be_fetched_is_offered_and_not_fetched_unasked(
    panel: DataPanel, document: Document, jobs: Jobs, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()
    monkeypatch.setattr("urllib.request.urlopen", lambda *_a, **_k: (asked.set(), _refuse())[1])
    panel.set_ready()
    use(document, type="mnist")
    settled(qtbot, panel, jobs)
    assert "MNIST is not on this computer yet" in panel.notice.shown.title.text()
    assert not asked.is_set()
    qtbot.mouseClick(panel.notice.buttons["fetch"], LEFT)
    settled(qtbot, panel, jobs)
    assert asked.is_set()
    assert "could not be fetched" in panel.notice.shown.title.text()


def _refuse() -> object:
    raise ConnectionError("no network here")


def test_a_missing_file_says_where_it_was_looked_for_and_offers_to_choose(
    panel: DataPanel, document: Document, jobs: Jobs, qtbot: QtBot
) -> None:
    panel.set_ready()
    use(document, type="npz", path="nowhere.npz")
    settled(qtbot, panel, jobs)
    assert "There is no file nowhere.npz." in panel.notice.shown.title.text()
    assert {"file", "folder"} <= set(panel.notice.buttons)


def test_images_of_different_sizes_are_mended_with_one_press(
    panel: DataPanel, document: Document, jobs: Jobs, qtbot: QtBot, tmp_path: Path
) -> None:
    for name in ("cats", "dogs"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for side in (20, 30, 40):
            Image.new("RGB", (side, side + 5), (side, 90, 200)).save(tmp_path / "pets" / name / f"{side}.png")
    panel.set_ready()
    panel.use_path(tmp_path / "pets")
    qtbot.waitUntil(lambda: "fix 1" in panel.notice.buttons, timeout=10_000)
    qtbot.mouseClick(panel.notice.buttons["fix 1"], LEFT)
    settled(qtbot, panel, jobs)
    assert document.project.recipe.get("preprocess")["resize"]
    assert panel.samples.gallery.isVisible()
    assert panel.summary_changed is not None


def test_a_file_of_another_kind_is_a_problem_and_changes_nothing(
    panel: DataPanel, document: Document, tmp_path: Path
) -> None:
    found = []
    panel.problem.connect(found.append)
    panel.use_path(tmp_path / "notes.docx")
    assert "notes.docx cannot be used as data." in found[0].happened
    assert not document.undo_label


def test_a_small_image_keeps_hard_edges(panel: DataPanel, jobs: Jobs, qtbot: QtBot) -> None:
    panel.set_ready()
    settled(qtbot, panel, jobs)
    gallery = panel.samples.gallery
    box = gallery._places[0]
    side = round(box.width())
    assert side % 8 == 0
    shot: QImage = gallery.grab().toImage()
    ratio = shot.devicePixelRatio()
    one = [
        shot.pixel(QPoint(round((box.left() + x + 0.5) * ratio), round((box.top() + 2.5) * ratio)))
        for x in range(side // 8)
    ]
    assert len(set(one)) == 1


def test_a_scale_without_a_top_is_stretched_to_what_is_there() -> None:
    made = picture(np.array([[[2.0, 4.0], [3.0, 2.0]]]), 0.0)
    assert [made.pixelColor(x, y).lightness() for y in (0, 1) for x in (0, 1)] == [0, 255, 128, 0]
