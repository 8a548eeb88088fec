"""The ways in: draw, file, sample of the data, row. Offers those that fit the run's input; takes drops and pastes.

Owns which way is in front. Never reads a file.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from engine.askable import Askable
from engine.asked import FromPixels, Reply, Source
from engine.problem import error
from gui.panels.predict_cells import CellsPage
from gui.panels.predict_pad import DrawPage
from gui.panels.predict_pages import FilePage, SamplePage
from gui.widgets.segmented import SegmentedSwitch

PEN = 0.12
"""Width of the pen where the data holds no handwriting, as a share of what is drawn."""


class InputPart(QWidget):
    """One page per way in."""

    changed = Signal()
    """There is another sample, or none."""
    folder_given = Signal(object)
    random_row_wanted = Signal()
    problem = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.draw, self.file, self.sample, self.cells = DrawPage(), FilePage(), SamplePage(), CellsPage()
        self._offered: list[QWidget] = [self.file]
        self.switch = SegmentedSwitch([self.tr("File")], dense=True)
        self.pages = QStackedWidget()
        for page in (self.draw, self.file, self.sample, self.cells):
            self.pages.addWidget(page)
            page.changed.connect(self._page_changed)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self._column.addWidget(self.switch)
        self._column.addWidget(self.pages, 1)
        self.file.folder_chosen.connect(self.folder_given)
        self.file.paste_wanted.connect(self.paste)
        self.cells.row_wanted.connect(self.random_row_wanted)

    def set_run(self, run: Askable) -> None:
        """Offers the ways that fit a run; the page in front stays where it still fits."""
        front = self.pages.currentWidget()
        ways = [
            (self.draw, run.draws, self.tr("Draw"), self.tr("Draw with the mouse; the answer follows")),
            (self.cells, bool(run.columns), self.tr("Row"), self.tr("Type the values of a row")),
            (self.file, True, self.tr("File"), self.tr("An image, a table or arrays, a folder, or the clipboard")),
            (self.sample, bool(run.counts), self.tr("Sample"), self.tr("A sample of the data, whose answer is known")),
        ]
        offered = [(page, title, tip) for page, fits, title, tip in ways if fits]
        self._offered = [page for page, _, _ in offered]
        made = SegmentedSwitch([title for _, title, _ in offered], dense=True)
        for place, (_, _, tip) in enumerate(offered):
            made.segment(place).setToolTip(tip)
        self._column.replaceWidget(self.switch, made)
        self.switch.hide()
        self.switch.deleteLater()
        self.switch = made
        made.currentChanged.connect(self._switched)
        self.draw.set_pen(run.strokes.pen if run.strokes else PEN)
        self.file.drawn.setVisible(run.draws and run.strokes is not None)
        self.sample.set_counts(run.counts)
        self.cells.set_columns(run.columns)
        chosen = front if front in self._offered else self._offered[0]
        self.pages.setCurrentWidget(chosen)
        made.set_current(self._offered.index(chosen))

    def source(self) -> Source | None:
        """What is to be asked about; None while there is nothing."""
        page = self.pages.currentWidget()
        if page is self.draw:
            if not self.draw.pad.num_strokes:
                return None
            return FromPixels(self.draw.pad.pixels(), self.tr("the drawing"), drawn=True)
        return page.source() if isinstance(page, (FilePage, SamplePage, CellsPage)) else None

    def show_reply(self, reply: Reply) -> None:
        """Shows on the page what was asked about."""
        page = self.pages.currentWidget()
        if isinstance(page, (FilePage, SamplePage, CellsPage)):
            page.show_reply(reply)

    def show_page(self, page: QWidget) -> None:
        """Brings a way in to the front."""
        if page in self._offered:
            self.switch.set_current(self._offered.index(page))

    def paste(self) -> None:
        """Takes the image or the file from the clipboard; else a Problem says what it holds."""
        if not self.take(QGuiApplication.clipboard().mimeData()):
            words = self.tr("The clipboard holds neither an image nor a file.")
            fix = self.tr("Copy an image, or a file in the file manager, and paste again")
            self.problem.emit(error(self.tr("clipboard"), words, self.tr("An image or a file"), fix))

    def take(self, mime: QMimeData) -> bool:
        """Takes what was dropped or pasted; False when it is of no use."""
        paths = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()] if mime.hasUrls() else []
        if paths:
            if paths[0].is_dir():
                self.folder_given.emit(paths[0])
            else:
                self.show_page(self.file)
                self.file.use_file(paths[0])
            return True
        image = mime.imageData() if mime.hasImage() else None
        if isinstance(image, QImage) and not image.isNull():
            self.show_page(self.file)
            self.file.use_image(image)
            return True
        return False

    def _switched(self, place: int) -> None:
        self.pages.setCurrentWidget(self._offered[place])
        self.changed.emit()

    def _page_changed(self) -> None:
        if self.sender() is self.pages.currentWidget():
            self.changed.emit()
