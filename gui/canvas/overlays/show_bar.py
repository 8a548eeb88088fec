"""Which value is on show, and its scale: top right, while there is a run to show."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from gui.canvas.board import Board
from gui.canvas.evidence import FAMILY, GRADIENT, RATIO, WEIGHT
from gui.canvas.paint.ink import CENTER, LEFT, RIGHT, ink, mono, scale_color
from gui.numbers import power_of_ten
from gui.widgets.choices import Choice


class ShowBar(QFrame):
    """A choice of values, and the scale that they are coloured by."""

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._board = board
        self.setProperty("role", "overlay")
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 6, 12, 6)
        row.setSpacing(6)
        self._label = QLabel(self.tr("Show"))
        self._label.setProperty("role", "label")
        self.folded = False
        self.choice = Choice()
        for value, text, tip in (
            (FAMILY, self.tr("Family"), self.tr("Layers in the colour of their family")),
            (GRADIENT, self.tr("Gradient flow"), self.tr("How strongly gradients reach each layer")),
            (RATIO, self.tr("Gradient ÷ weight"), self.tr("Gradient norm as a share of the weight norm")),
            (WEIGHT, self.tr("Weight norm"), self.tr("How large the weights of each layer are together")),
        ):
            self.choice.add_option(value, text, tip=tip)
        self.choice.setMinimumWidth(148)
        self.choice.committed.connect(board.set_show)
        self.legend = Legend(board)
        row.addWidget(self._label)
        row.addWidget(self.choice)
        row.addWidget(self.legend)
        board.evidence_changed.connect(self.refresh)
        self.refresh()

    def fold(self, folded: bool) -> None:
        """Only the choice, where the canvas is narrow: the scale is then in its tip."""
        if folded != self.folded:
            self.folded = folded
            self.refresh()

    def refresh(self) -> None:
        """Follows the board."""
        evidence = self._board.shown.evidence
        self.choice.set_value(evidence.show)
        self.legend.setVisible(evidence.on and not self.folded)
        self._label.setVisible(not self.folded)
        self.legend.update()
        tip = self.tr("The value that colours layers and wires")
        if evidence.on and self.folded:
            ends = power_of_ten(evidence.scale.low), power_of_ten(evidence.scale.high)
            tip += "\n" + self.tr("from {0} to {1}").format(*ends)
        self.choice.setToolTip(tip)
        self.setVisible(evidence.timeline is not None)
        self.adjustSize()


class Legend(QWidget):
    """The scale from weak to strong with its decades."""

    def __init__(self, board: Board) -> None:
        super().__init__()
        self._board = board
        self.setFixedSize(QSize(224, 28))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draws colours and decades; a widened scale has a mark."""
        scale = self._board.shown.evidence.scale
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(8, 3, self.width() - 16, 8)
        painter.setPen(Qt.PenStyle.NoPen)
        columns = round(area.width())
        for column in range(columns):
            painter.fillRect(QRectF(area.x() + column, area.y(), 1.5, area.height()), scale_color(column / columns))
        painter.setFont(mono(10))
        painter.setPen(ink("text2"))
        ticks = scale.ticks()
        for exponent in ticks:
            place = area.x() + area.width() * (exponent - scale.low) / (scale.high - scale.low)
            text = power_of_ten(exponent)
            side = LEFT if exponent == ticks[0] else RIGHT if exponent == ticks[-1] else CENTER
            left = {LEFT: place - 8, RIGHT: place - 32, CENTER: place - 20}[side]
            painter.drawText(QRectF(left, 13, 40, 14), side, text)
        if scale.widened:
            painter.setPen(QPen(ink("warn"), 1.5))
            painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.end()
        self.setToolTip(
            self.tr("The scale was widened during this run: older colours mean other values.") if scale.widened else ""
        )
