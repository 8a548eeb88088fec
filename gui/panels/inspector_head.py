"""Top of the inspector: what the selected layer is and is called, what goes in and out, what it weighs."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from engine.analysis import NodeFacts
from engine.declare import Declaration
from engine.graph import OUTPUT, Node
from gui.icons import paint_icon
from gui.numbers import count
from gui.theme import color, metrics, mono_font, themes, ui_font
from gui.widgets.labels import ElidedLabel


class Tile(QWidget):
    """The family's glyph on its tile, 32 px."""

    def __init__(self) -> None:
        super().__init__()
        self.family, self.glyph = "merge", "group"
        self.setFixedSize(32, 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(themes.current.tile_color(self.family, "panel"))
        painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
        paint_icon(painter, self.glyph, QRectF(6, 6, 20, 20), themes.current.family_color(self.family))
        painter.end()


class Head(QWidget):
    """Tile, name (click to rename) and type, with the help behind a question mark."""

    renamed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._tile = Tile()
        self.name = QLineEdit()
        self.name.setFont(ui_font(15, 600))
        self.name.setFrame(False)
        self.name.setProperty("plain", True)
        self.name.setStyleSheet("QLineEdit { background: transparent; border: none; padding: 0; }")
        self.name.setToolTip(self.tr("The layer's name: its attribute in Python. Type to rename"))
        self.name.setAccessibleName(self.tr("Name"))
        self.name.editingFinished.connect(self._finish)
        self._type = ElidedLabel("", role="label")
        self._shown = ""
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.name)
        words.addWidget(self._type)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(metrics.grid)
        row.addWidget(self._tile, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)

    def sizeHint(self) -> QSize:
        """Two lines."""
        return QSize(200, 42)

    def show_node(self, node: Node, declaration: Declaration | None) -> None:
        """Shows a layer or block."""
        self._shown = node.name
        self.name.setText(node.name)
        family = declaration.family if declaration else "merge"
        glyph = "family-io-out" if node.type == OUTPUT else f"family-{family}"
        self._tile.family, self._tile.glyph = family, "group" if node.is_group else glyph
        self._tile.update()
        title = self.tr("Block") if node.is_group else (declaration.title if declaration else node.type)
        self._type.setText(title)
        self.setToolTip(declaration.help if declaration else "")

    def _finish(self) -> None:
        wanted = self.name.text().strip()
        if wanted and wanted != self._shown:
            self.renamed.emit(wanted)
        else:
            self.name.setText(self._shown)


class ShapeRows(QWidget):
    """Input and output shapes per sample, parameters and multiply-adds."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(0, 1)
        # A row each, and words that give way: the narrowest dock must not scroll sideways.
        self._left, self._right = ElidedLabel(), QLabel()
        self._cost, self._adds = ElidedLabel(), ElidedLabel()
        self._left.setFont(mono_font(12))
        self._grid.addWidget(self._left, 0, 0)
        self._grid.addWidget(self._right, 0, 1)
        self._grid.addWidget(self._cost, 1, 0, 1, 2)
        self._grid.addWidget(self._adds, 2, 0, 1, 2)
        self._right.setProperty("role", "hint")
        self._cost.setProperty("role", "label")
        self._adds.setProperty("role", "label")

    def show_facts(self, facts: NodeFacts | None, node: Node) -> None:
        """Shows what is known; unknown shapes say so."""
        arrived = [str(info) for infos in facts.inputs.values() for info in infos] if facts else []
        left = ", ".join(arrived)
        right = " , ".join(str(info) for info in facts.outputs.values()) if facts else ""
        unknown = self.tr("unknown")
        ends = node.type == OUTPUT
        words = "  ›  ".join(part for part in (left, "" if ends and left else right or unknown) if part)
        self._left.setText(words)
        self._right.setText(self.tr("per sample"))
        if facts is None:
            self._cost.setText("")  # nobody has counted yet
        elif not facts.parameters:
            self._cost.setText(self.tr("no parameters"))
        else:
            times = f"{facts.copies} × " if facts.copies > 1 and not node.is_group else ""
            still = facts.parameters - facts.trainable + facts.buffers
            words = self.tr("{0} trained, {1} not") if still else self.tr("{0} parameters")
            shown = facts.trainable if still else facts.parameters
            self._cost.setText(times + words.format(count(shown), count(still)))
        frozen = facts.parameters - facts.trainable if facts else 0
        extra = [self.tr("{0} not trained").format(count(frozen))] if frozen else []
        if facts and facts.buffers:
            extra.append(self.tr("{0} running values, not trained").format(count(facts.buffers)))
        self._cost.setToolTip("\n".join(extra))
        adds = facts.multiply_adds if facts else 0
        self._adds.setText(self.tr("{0} multiply-adds").format(count(adds)) if adds else "")
        self._adds.setVisible(bool(adds))
        self._left.setStyleSheet("" if right or (ends and left) else f"color: {color('text3').name()}")
