"""The empty canvas: what to do, and three examples with small pictures."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.analysis import Analysis
from engine.examples import load_example
from engine.problem import ProblemError
from engine.project import Project
from gui.canvas.board import Board
from gui.canvas.evidence import Evidence
from gui.canvas.paint.dots import paint_dots, paint_hairs
from gui.canvas.paint.ink import CENTER, ink
from gui.canvas.scene import Scene
from gui.theme import metrics, ui_font
from gui.widgets.box import paint_box

EXAMPLES = ("digits-mlp", "digits-cnn", "cifar-resnet")


class EmptyCanvas(QWidget):
    """Stands in the middle while there is no layer. Examples are read only when it is first seen."""

    example_chosen = Signal(str)
    settled = Signal()
    """It has another size now."""

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._examples: QHBoxLayout | None = None
        self._column = QVBoxLayout(self)
        self._column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        self._column.setSpacing(8)
        for text, role in (
            (self.tr("Press Space or drag a layer here"), "title"),
            (self.tr("or begin with an example"), "label"),
        ):
            label = QLabel(text)
            label.setProperty("role", role)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self._column.addWidget(label)

    def showEvent(self, event: object) -> None:
        """Makes the example buttons."""
        if self._examples is None:
            self._examples = QHBoxLayout()
            self._examples.setSpacing(12)
            self._column.addSpacing(8)
            self._column.addLayout(self._examples)
            for name in EXAMPLES:
                try:
                    project = load_example(name)
                except ProblemError:
                    continue
                button = ExampleButton(name, project)
                button.clicked.connect(lambda _=False, name=name: self.example_chosen.emit(name))
                self._examples.addWidget(button)
            self._column.activate()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The examples came in: the middle of the canvas is elsewhere for it now."""
        super().resizeEvent(event)
        self.settled.emit()

    def buttons(self) -> list[ExampleButton]:
        """The examples, once it has been seen."""
        return self.findChildren(ExampleButton)


class ExampleButton(QAbstractButton):
    """An example's network in small, and its name."""

    def __init__(self, name: str, project: Project) -> None:
        super().__init__()
        self.setText(name)
        self.setFixedSize(self.sizeHint())
        self.setToolTip(self.tr("Open the example {0}").format(name))
        self.setAccessibleName(self.tr("Example {0}").format(name))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._scene = Scene()
        self._scene.sync(project, Analysis(), "", {})

    def sizeHint(self) -> QSize:
        """One size for all."""
        return QSize(196, 116)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draws the network as blocks."""
        painter = QPainter(self)
        fill = ink("hover" if self.underMouse() else "raised")
        paint_box(painter, QRectF(self.rect()), fill=fill, edge=ink("border2"), radius=metrics.radius_node)
        painter.setFont(ui_font(12, 600))
        painter.setPen(ink("text"))
        painter.drawText(QRectF(0, self.height() - 32, self.width(), 24), CENTER, self.text())
        area, room = self._scene.bounds(), QRectF(self.rect()).adjusted(14, 12, -14, -36)
        if not area.isEmpty():
            scale = min(room.width() / area.width(), room.height() / area.height(), 0.2)
            painter.translate(room.center())
            painter.scale(scale, scale)
            painter.translate(-area.center())
            paint_hairs(painter, self._scene.wires.values())
            paint_dots(painter, self._scene.boxes.values(), Evidence())
        painter.end()
