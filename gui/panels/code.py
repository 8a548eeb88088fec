"""The code: the model as it is generated now, coloured. Selecting a line selects its layer, and the other way round."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent, QTextCursor, QTextFormat
from PySide6.QtWidgets import QApplication, QHBoxLayout, QPlainTextEdit, QTextEdit, QVBoxLayout, QWidget

from engine.analysis import Analysis
from gui.document import Document
from gui.panels.code_colors import CodeColors
from gui.theme import color, metrics, mono_font, themes
from gui.widgets.buttons import tool_button
from gui.widgets.labels import ElidedLabel


class CodePanel(QWidget):
    """Read-only text with line numbers."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._following = False
        self._waiting: str | None = None
        self.text = _Text()
        # Elided: words at the foot must not decide how wide the column is.
        self._words = ElidedLabel(role="hint")
        copy = tool_button("copy", self.tr("Copy the code"), dense=True)
        copy.clicked.connect(lambda: QApplication.clipboard().setText(self.text.toPlainText()))
        foot = QHBoxLayout()
        foot.setContentsMargins(metrics.panel_padding, 4, metrics.grid, 4)
        foot.addWidget(self._words, 1)
        foot.addWidget(copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.text, 1)
        layout.addLayout(foot)
        self.text.cursorPositionChanged.connect(self._select)
        document.analyzed.connect(self.show_analysis)
        document.opened.connect(lambda: self.show_analysis(document.analysis))
        document.selection.changed.connect(self._follow)
        themes.changed.connect(self.text.colors.restyle)
        self.show_analysis(document.analysis)

    def sizeHint(self) -> QSize:
        """The right column's width, whatever stands in it: a dock that opens elsewhere must not make it wider."""
        return QSize(264, 400)

    def show_analysis(self, analysis: Analysis) -> None:
        """Shows the code of the last check; while the graph has errors the last good code stays, dimmed."""
        if analysis.source:
            self._write(analysis.source)
            self._words.setText(self.tr("Read only. Selecting a line selects its layer."))
        elif analysis.errors:
            self._words.setText(self.tr("Not the newest: mend the errors to see the code again."))
        self.text.setEnabled(bool(analysis.source) or not analysis.errors)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Being painted is being looked at: a panel behind a tab counts as visible but is not worth writing."""
        super().paintEvent(event)
        if self._waiting is not None:
            QTimer.singleShot(0, self, self._write_waiting)

    def _write(self, source: str) -> None:
        self._waiting = source
        self.update()

    def _write_waiting(self) -> None:
        if self._waiting is None:
            return
        source, self._waiting = self._waiting, None
        self._following = True
        self.text.replace_lines(source)
        self._following = False
        self._follow()

    def _select(self) -> None:
        if self._following or not self.text.hasFocus():
            return
        found = self._document.analysis.lines.get(self.text.textCursor().blockNumber() + 1)
        if found is not None:
            self._document.selection.select([found])

    def _follow(self) -> None:
        if self._waiting is not None:
            return
        chosen = self._document.selection.nodes
        lines = [line for line, key in self._document.analysis.lines.items() if key in chosen]
        self.text.mark(lines)
        if lines and not self.text.hasFocus():
            self._following = True
            self.text.show_line(lines[0])
            self._following = False


class _Text(QPlainTextEdit):
    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setFont(mono_font(12))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.colors = CodeColors(self.document())
        self._numbers = _Numbers(self)
        self.setViewportMargins(self.numbers_width(), 0, 0, 0)
        self.updateRequest.connect(self._scroll)

    def numbers_width(self) -> int:
        """Room for the line numbers."""
        return 12 + self.fontMetrics().horizontalAdvance("9") * max(3, len(str(self.blockCount())))

    def replace_lines(self, source: str) -> None:
        """Writes new text by replacing the lines that differ, so that little is coloured and the place stays."""
        old, new = self.toPlainText().split("\n"), source.split("\n")
        if old == new:
            return
        shorter = min(len(old), len(new))
        start = next((row for row in range(shorter) if old[row] != new[row]), shorter)
        end = next((row for row in range(shorter - start) if old[-1 - row] != new[-1 - row]), shorter - start)
        if start + end == shorter:
            # Lines were only added or only removed: one that stays goes along, so that there is something to replace.
            start, end = (start - 1, end) if start else (start, end - 1)
        cursor = QTextCursor(self.document().findBlockByNumber(start))
        cursor.movePosition(QTextCursor.MoveOperation.StartOfBlock)
        last = self.document().findBlockByNumber(len(old) - 1 - end)
        cursor.setPosition(last.position() + last.length() - 1, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText("\n".join(new[start : len(new) - end]))

    def mark(self, lines: list[int]) -> None:
        """Gives 1-based lines the colour of a selection."""
        marks = []
        for line in lines:
            mark = QTextEdit.ExtraSelection()
            mark.format.setBackground(color("selected"))  # type: ignore[attr-defined]
            mark.format.setProperty(QTextFormat.Property.FullWidthSelection, True)  # type: ignore[attr-defined]
            mark.cursor = QTextCursor(self.document().findBlockByNumber(line - 1))  # type: ignore[attr-defined]
            marks.append(mark)
        self.setExtraSelections(marks)

    def show_line(self, line: int) -> None:
        """Scrolls so that a 1-based line is seen."""
        self.setTextCursor(QTextCursor(self.document().findBlockByNumber(line - 1)))
        self.ensureCursorVisible()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keeps the numbers as tall as the text."""
        super().resizeEvent(event)
        room = self.contentsRect()
        self._numbers.setGeometry(QRect(room.left(), room.top(), self.numbers_width(), room.height()))

    def paint_numbers(self, event: QPaintEvent) -> None:
        """Line numbers of the visible lines."""
        painter = QPainter(self._numbers)
        painter.fillRect(event.rect(), color("panel"))
        painter.setFont(mono_font(11))
        painter.setPen(color("text3"))
        block = self.firstVisibleBlock()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        while block.isValid() and top <= event.rect().bottom():
            height = self.blockBoundingRect(block).height()
            painter.drawText(
                0, round(top), self._numbers.width() - 8, round(height),
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(block.blockNumber() + 1),
            )  # fmt: skip
            top += height
            block = block.next()
        painter.end()

    def _scroll(self, rect: QRect, dy: int) -> None:
        self._numbers.scroll(0, dy) if dy else self._numbers.update(0, rect.y(), self._numbers.width(), rect.height())
        self.setViewportMargins(self.numbers_width(), 0, 0, 0)


class _Numbers(QWidget):
    def __init__(self, text: _Text) -> None:
        super().__init__(text)
        self._text = text

    def sizeHint(self) -> QSize:
        """As wide as the largest number."""
        return QSize(self._text.numbers_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The numbers beside the text."""
        self._text.paint_numbers(event)
