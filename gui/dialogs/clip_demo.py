"""Clipping by value against clipping by norm, on a gradient of two numbers that can be dragged.

Shows and explains. Changes nothing of the project; the arithmetic is the engine's.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.clip_vector import EXAMPLE, ClippedVector, clip_vector
from gui.charts.clip_plane import TINTS, ClipPlane
from gui.fonts import mono_font
from gui.numbers import MINUS, number
from gui.theme import color, metrics, themes
from gui.widgets.buttons import Button
from gui.widgets.number_field import NumberField
from gui.widgets.segmented import SegmentedSwitch

FIELD = 104


class ClipDialog(QDialog):
    """Open it with `open()`."""

    def __init__(self, limit: float = 1.0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Clipping a gradient"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.plane = ClipPlane()
        self.plane.moved.connect(lambda _x, _y: self._show())
        self._make_controls(limit)
        self._lay_out()
        themes.changed.connect(self._show)
        self.plane.show_vector(EXAMPLE, limit)
        self._show()
        self.plane.setFocus(Qt.FocusReason.TabFocusReason)

    def _make_controls(self, limit: float) -> None:
        self.first = NumberField(EXAMPLE[0], minimum=-1e6, maximum=1e6, dense=True)
        self.second = NumberField(EXAMPLE[1], minimum=-1e6, maximum=1e6, dense=True)
        self.limit = NumberField(limit, minimum=1e-6, maximum=1e6, dense=True)
        for field, name in (
            (self.first, self.tr("First number")), (self.second, self.tr("Second number")),
            (self.limit, self.tr("Limit")),
        ):  # fmt: skip
            field.entry.setAccessibleName(name)
            field.setFixedWidth(FIELD)
            field.committed.connect(lambda _value: self._typed())
        self.view = SegmentedSwitch([self.tr("Around the limit"), self.tr("Whole gradient")], dense=True)
        self.view.currentChanged.connect(lambda index: self.plane.set_whole(index == 1))
        self.example = Button(self.tr("Textbook example"), icon_name="refresh")
        self.example.setToolTip(self.tr("The gradient [0.9, 100] and the limit 1"))
        self.example.clicked.connect(self._show_example)
        self.close_button = Button(self.tr("Close"))
        self.close_button.clicked.connect(self.accept)
        self._titles = {"given": self.tr("Given"), "value": self.tr("By value"), "norm": self.tr("By norm")}
        self.names = {name: QLabel() for name in TINTS}
        self.cells: dict[str, list[QLabel]] = {name: [_cell() for _ in range(3)] for name in TINTS}
        self.words = {name: QLabel() for name in ("value", "norm")}
        for label in self.words.values():
            label.setWordWrap(True)

    def results(self) -> dict[str, ClippedVector]:
        """The gradient as it is, by value, and by norm."""
        vector, limit = self.plane.vector, self.plane.limit
        modes = {"given": "none", "value": "value", "norm": "norm"}
        return {name: clip_vector(vector, mode, limit) for name, mode in modes.items()}

    def _typed(self) -> None:
        vector = (float(self.first.value()), float(self.second.value()))
        self.plane.show_vector(vector, float(self.limit.value()))
        self._show()

    def _show_example(self) -> None:
        self.view.set_current(0)
        self.plane.show_vector(EXAMPLE, 1.0)
        self._show()

    def _show(self) -> None:
        """Everything beside the picture follows it."""
        results = self.results()
        for field, value in zip(
            (self.first, self.second, self.limit), (*self.plane.vector, self.plane.limit), strict=True
        ):
            field.set_value(value)
        for name, cells in self.cells.items():
            found = results[name]
            said = (_vector_words(found.after), _plain(hypot(*found.after)), f"{found.angles[1]:.1f}°")
            for cell, words in zip(cells, said, strict=True):
                cell.setText(words.replace("-", MINUS))
            self.names[name].setText(f'<span style="color: {color(TINTS[name]).name()}">■</span> {self._titles[name]}')
        for name, label in self.words.items():
            label.setText(self._verdict(name, results[name]))
        self.plane.setAccessibleDescription(" ".join(label.text() for label in self.words.values()))

    def _verdict(self, name: str, found: ClippedVector) -> str:
        title = self._titles[name]
        if found.before == found.after:
            return self.tr("{0}: nothing is cut, the gradient is within the limit.").format(title)
        left = number(found.factor * 100)
        if found.turned < 0.05:
            return self.tr("{0}: the direction is kept, {1} % of the length is left.").format(title, left)
        return self.tr("{0}: the direction turns by {1}°, {2} % of the length is left.").format(
            title, f"{found.turned:.1f}", left
        )

    def _lay_out(self) -> None:
        fields = QGridLayout()
        fields.setHorizontalSpacing(metrics.grid)
        fields.setVerticalSpacing(6)
        for row, (words, field) in enumerate(
            ((self.tr("First number"), self.first), (self.tr("Second number"), self.second),
             (self.tr("Limit"), self.limit))
        ):  # fmt: skip
            label = QLabel(words)
            label.setProperty("role", "label")
            label.setBuddy(field)
            fields.addWidget(label, row, 0)
            fields.addWidget(field, row, 1, Qt.AlignmentFlag.AlignLeft)
        fields.setColumnStretch(1, 1)
        side = QVBoxLayout()
        side.setSpacing(metrics.grid)
        side.addLayout(fields)
        side.addSpacing(metrics.grid)
        side.addLayout(self._table())
        side.addSpacing(metrics.grid)
        for label in self.words.values():
            side.addWidget(label)
        side.addStretch()
        hint = QLabel(self.plane.toolTip())
        hint.setProperty("role", "label")
        hint.setWordWrap(True)
        side.addWidget(hint)
        foot = QHBoxLayout()
        foot.addWidget(self.view)
        foot.addStretch()
        foot.addWidget(self.example)
        foot.addWidget(self.close_button)
        main = QHBoxLayout()
        main.setSpacing(2 * metrics.grid)
        main.addWidget(self.plane, 1)
        holder = QWidget()
        holder.setLayout(side)
        side.setContentsMargins(0, 0, 0, 0)
        holder.setFixedWidth(330)
        main.addWidget(holder)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[metrics.panel_padding] * 4)
        layout.setSpacing(metrics.grid)
        layout.addLayout(main, 1)
        layout.addLayout(foot)
        self.resize(820, 500)

    def _table(self) -> QGridLayout:
        table = QGridLayout()
        table.setHorizontalSpacing(12)
        table.setVerticalSpacing(6)
        for column, words in enumerate((self.tr("gradient"), self.tr("length"), self.tr("direction")), 1):
            head = QLabel(words)
            head.setProperty("role", "label")
            table.addWidget(head, 0, column, Qt.AlignmentFlag.AlignRight)
        for row, (name, cells) in enumerate(self.cells.items(), 1):
            table.addWidget(self.names[name], row, 0)
            for column, cell in enumerate(cells, 1):
                table.addWidget(cell, row, column, Qt.AlignmentFlag.AlignRight)
        table.setColumnStretch(1, 1)
        return table


def _cell() -> QLabel:
    made = QLabel()
    made.setFont(mono_font(11))
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def _vector_words(vector: Sequence[float]) -> str:
    return f"[{', '.join(_plain(value) for value in vector)}]"


def _plain(value: float) -> str:
    """Five figures: three would call 0.99996 a 1, and the point of the example is that it is not."""
    return f"{value:.5g}"
