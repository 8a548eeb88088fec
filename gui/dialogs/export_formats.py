"""The formats as cards of which one is chosen: a title, and a line that says what the file is good for.

Owns painting and the choice. Never writes a file.
"""

from __future__ import annotations

from importlib.util import find_spec

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QGridLayout, QSizePolicy, QWidget

from engine.formats import FORMATS
from gui.icons import paint_icon
from gui.theme import color, line_height, metrics, ui_font
from gui.widgets.box import paint_box

PYTHON = "python"


class FormatCards(QWidget):
    """Exactly one card is down; arrow keys move between them. Code at the left, weights and programs at the right."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        self.cards: dict[str, QAbstractButton] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(metrics.grid)
        columns = (
            (
                (PYTHON, "code", self.tr("Python file"), self.tr("The network as readable code")),
                ("script", "play", self.tr("Training script"), self.tr("Code that repeats this training")),
                ("notebook", "note", self.tr("Notebook"), self.tr("The same in cells, for Jupyter")),
                ("bundle", "group", self.tr("Bundle"), self.tr("All that is needed to use the network")),
            ),
            (
                ("safetensors", "lock", self.tr("safetensors"), self.tr("Weights in a file no code can hide in")),
                ("state_dict", "save", self.tr("state_dict"), self.tr("Weights as PyTorch saves them")),
                ("torch_export", "cpu", self.tr("torch.export"), self.tr("A program for PyTorch, in one file")),
                ("onnx", "link", self.tr("ONNX"), self.tr("A program for other runtimes, in one file")),
            ),
        )
        for column, cards in enumerate(columns):
            grid.setColumnStretch(column, 1)
            for row, (name, icon, title, words) in enumerate(cards):
                card = _Card(icon, title, words)
                card.toggled.connect(lambda down, name=name: down and self.chosen.emit(name))
                self._group.addButton(card)
                self.cards[name] = card
                grid.addWidget(card, row, column)
        self.cards[PYTHON].setChecked(True)

    def current(self) -> str:
        """The chosen format."""
        return next(name for name, card in self.cards.items() if card.isChecked())

    def choose(self, name: str) -> None:
        """Presses a card."""
        self.cards[name].setChecked(True)

    def set_weights(self, there: bool) -> None:
        """What cannot be written goes grey and says why: weights without a run, programs without their packages."""
        for name, card in self.cards.items():
            lacking = [package for package in FORMATS[name].packages if find_spec(package) is None]
            if FORMATS[name].needs_run and not there:
                card.setToolTip(self.tr("There are no weights without a run: train first"))
            elif lacking:
                card.setToolTip(self.tr("Needs {0}: pip install 'layerwright[onnx]'").format(", ".join(lacking)))
            else:
                card.setToolTip("")
            card.setEnabled(not card.toolTip())
        if not self.cards[self.current()].isEnabled():
            self.choose(PYTHON)


class _Card(QAbstractButton):
    def __init__(self, icon: str, title: str, words: str) -> None:
        super().__init__()
        self._icon, self._words = icon, words
        self.setText(title)
        self.setAccessibleDescription(words)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setProperty("focusRadius", metrics.radius_node)
        self.setMinimumHeight(self.sizeHint().height())  # a result below must not squeeze its two lines

    def sizeHint(self) -> QSize:
        """Two lines."""
        return QSize(300, line_height(13) + line_height(11) + 2 * metrics.grid + 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the card in the current theme."""
        painter = QPainter(self)
        area = QRectF(self.rect())
        able, down = self.isEnabled(), self.isChecked()
        fill = "selected" if down else "hover" if able and self.underMouse() else "raised" if able else "panel"
        edge = "accent" if down else "border2" if able else "border"
        paint_box(painter, area, fill=color(fill), edge=color(edge), radius=metrics.radius_node)
        ink = "text3" if not able else "accent" if down else "text2"
        paint_icon(painter, self._icon, QRectF(14, area.center().y() - 10, 20, 20), color(ink))
        room = area.adjusted(48, metrics.grid, -40, -metrics.grid)
        painter.setFont(ui_font(13, 600))
        painter.setPen(color("text" if able else "text3"))
        painter.drawText(room, Qt.AlignmentFlag.AlignTop, self.text())
        painter.setFont(ui_font(11))
        painter.setPen(color("text2" if able else "text3"))
        words = painter.fontMetrics().elidedText(self._words, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignBottom, words)
        if down:
            paint_icon(painter, "check", QRectF(area.right() - 30, area.center().y() - 8, 16, 16), color("accent"))
        painter.end()
