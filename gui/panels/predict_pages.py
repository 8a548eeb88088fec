"""Ways to give a sample that is not drawn: a file, the clipboard, a place in the data, the cells of a row.

Owns fields and buttons. Never reads a file: what was chosen is a `Source`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.asked import FromData, FromFile, FromPixels, Reply, Source
from gui.numbers import count
from gui.theme import metrics
from gui.widgets.buttons import Button
from gui.widgets.choices import Check, Choice
from gui.widgets.labels import ElidedLabel
from gui.widgets.number_field import NumberField
from gui.widgets.pixels import PixelView, image_of

SPLITS = ("val", "test", "train")


class FilePage(QWidget):
    """A file, a folder or the clipboard."""

    changed = Signal()
    folder_chosen = Signal(object)
    paste_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source: FromFile | FromPixels | None = None
        tip = self.tr("Ask about an image, a table (.csv) or arrays (.npz); or drop the file here")
        self.file = Button(self.tr("File…"), tip=tip)
        tip = self.tr("Ask about every file of a folder and write the answers as CSV; or drop the folder here")
        self.folder = Button(self.tr("Folder…"), tip=tip)
        tip = self.tr("Ask about the image or the file on the clipboard  Ctrl+V")
        self.paste = Button(self.tr("Paste"), tip=tip)
        self.drawn = Check(self.tr("Is a drawing"))
        self.drawn.setToolTip(self.tr("The picture is a character on paper: turn it to light on dark, cut it out and "
                                      "centre it as the data set's images are"))  # fmt: skip
        self.row = NumberField(0, minimum=0, maximum=0, whole=True, dense=True)
        self.row.setToolTip(self.tr("Which sample of the file, counted from 0"))
        self.row.entry.setAccessibleName(self.tr("Sample of the file"))
        self.name = ElidedLabel("", role="label")
        self.picture = PixelView()
        top = QHBoxLayout()
        top.setSpacing(metrics.half)
        for button in (self.file, self.folder, self.paste):
            top.addWidget(button)
        top.addStretch()
        under = QHBoxLayout()
        under.setSpacing(metrics.grid)
        under.addWidget(self.name, 1)
        under.addWidget(self.row)
        under.addWidget(self.drawn)
        column = _column(self)
        column.addLayout(top)
        column.addWidget(self.picture, 1)
        column.addLayout(under)
        self.row.hide()
        self.file.clicked.connect(self._ask_file)
        self.folder.clicked.connect(self._ask_folder)
        self.paste.clicked.connect(self.paste_wanted)
        self.drawn.committed.connect(lambda _drawn: self.changed.emit())
        self.row.committed.connect(lambda _row: self.changed.emit())

    def source(self) -> Source | None:
        """What was chosen, None before."""
        if isinstance(self._source, FromFile):
            return FromFile(self._source.path, int(self.row.value()), self.drawn.value())
        if self._source is not None:
            return FromPixels(self._source.pixels, self._source.label, self.drawn.value())
        return None

    def use_file(self, path: Path) -> None:
        """Asks about a file."""
        self._take(FromFile(path), path.name)

    def use_image(self, image: QImage) -> None:
        """Asks about an image of the clipboard."""
        plain = image.convertToFormat(QImage.Format.Format_RGBA8888)
        flat = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
        pixels = flat[:, : plain.width() * 4].reshape(plain.height(), plain.width(), 4).copy()
        self._take(FromPixels(pixels, self.tr("the pasted image")), self.tr("Pasted, {0}×{1}").format(
            plain.width(), plain.height()))  # fmt: skip

    def show_reply(self, reply: Reply) -> None:
        """Shows the picture as it was read, and how many samples the file has."""
        self.picture.show_image(QImage() if reply.picture is None else image_of(reply.picture))
        self.row.setVisible(reply.num_samples > 1)
        if reply.num_samples > 1:
            self.row.set_bounds(0, reply.num_samples - 1)
            self.name.setText(self.tr("{0} samples").format(count(reply.num_samples)))

    def _take(self, source: FromFile | FromPixels, name: str) -> None:
        self._source = source
        self.row.set_bounds(0, 2**31 - 1)
        self.row.set_value(0)
        self.row.hide()
        self.name.setText(name)
        self.changed.emit()

    def _ask_file(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Predict"), "")
        if chosen:
            self.use_file(Path(chosen))

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Predict every file of a folder"), "")
        if chosen:
            self.folder_chosen.emit(Path(chosen))


class SamplePage(QWidget):
    """A sample of the run's own data, by its place or at random; its true answer is known."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts: Mapping[str, int] = {}
        # The window's own numbers: a training draws from Python's and numpy's.
        self._draw = np.random.default_rng()
        self.split = Choice()
        self.split.setToolTip(self.tr("From which part of the data"))
        self.split.setAccessibleName(self.tr("Part of the data"))
        self.place = NumberField(0, minimum=0, maximum=0, whole=True, dense=True)
        self.place.setToolTip(self.tr("Which sample, counted from 0"))
        self.place.entry.setAccessibleName(self.tr("Number of the sample"))
        self.random = Button(self.tr("Random"), tip=self.tr("Ask about a sample drawn at random"))
        self.picture = PixelView()
        self.words = QLabel()
        self.words.setProperty("role", "label")
        top = QHBoxLayout()
        top.setSpacing(metrics.half)
        top.addWidget(self.split, 4)
        top.addWidget(self.place, 3)
        top.addWidget(self.random)
        column = _column(self)
        column.addLayout(top)
        column.addWidget(self.picture, 1)
        column.addWidget(self.words)
        self.split.committed.connect(lambda _split: self._choose_split())
        self.place.committed.connect(lambda _place: self._tell())
        self.random.clicked.connect(self.draw)
        self._began = False

    def set_counts(self, counts: Mapping[str, int]) -> None:
        """Offers the splits that hold samples."""
        self._counts = {split: counts[split] for split in SPLITS if counts.get(split)}
        names = {"val": self.tr("Validation"), "test": self.tr("Test"), "train": self.tr("Training")}
        self.split.set_options([(split, names[split]) for split in self._counts])
        self._began = False
        self._bound()

    def source(self) -> Source | None:
        """The sample, None before anything was chosen."""
        split = self.split.value()
        return FromData(str(split), int(self.place.value())) if split and self._began else None

    def draw(self) -> None:
        """Chooses a sample at random."""
        total = self._counts.get(str(self.split.value()), 0)
        if total:
            self.place.set_value(int(self._draw.integers(total)))
            self._tell()

    def draw_quietly(self) -> None:
        """Chooses a sample at random for another page, without telling."""
        self.blockSignals(True)
        self.draw()
        self.blockSignals(False)

    def show_reply(self, reply: Reply) -> None:
        """Shows the sample as it is in the data, and its true answer."""
        self.picture.show_image(QImage() if reply.picture is None else image_of(reply.picture))
        truth = ", ".join(words for words in reply.truth.values() if words)
        self.words.setText(self.tr("In truth {0}").format(truth) if truth else self.tr("The data knows no answer"))

    def _choose_split(self) -> None:
        self._bound()
        self._tell()

    def _bound(self) -> None:
        total = self._counts.get(str(self.split.value()), 0)
        self.place.set_bounds(0, max(0, total - 1))
        self.place.set_value(min(int(self.place.value() or 0), max(0, total - 1)))
        self.place.setEnabled(total > 0)
        self.random.setEnabled(total > 0)

    def _tell(self) -> None:
        self._began = True
        self.changed.emit()


def _column(widget: QWidget) -> QVBoxLayout:
    made = QVBoxLayout(widget)
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(metrics.grid)
    return made
