"""How many samples each class has in each split, or how the values of a target are spread. Owns painting and words."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from gui.numbers import number, percent
from gui.panels.data_look import Balance, Histogram
from gui.theme import color, mono_font, ui_font

SPLIT_COLORS = {"train": "series.0", "val": "series.1", "test": "series.2"}
HEAD = 18
LEAST_ROW, MOST_ROW = 13, 26
FOOT = 18
LEAST_BAR = 56
"""Where numbers leave the bars less room than this, only their sums stay; the tip has all of them."""
STALE = 0.6
EVEN = 1.5
"""Classes count as even while the largest has at most so many times the samples of the smallest."""


class BalanceChart(QWidget):
    """One bar per class, its parts the splits; columns of numbers at the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: Balance | None = None
        self._stale = False
        self.setAccessibleName(self.tr("Samples per class"))

    def show_balance(self, balance: Balance) -> None:
        """Shows other counts."""
        self._shown, self._stale = balance, False
        self.setMinimumHeight(HEAD + LEAST_ROW * len(balance.classes))
        self.setAccessibleDescription(balance_words(balance))
        self.updateGeometry()
        self.update()

    def set_stale(self, stale: bool) -> None:
        """Pales what is shown while something newer is on its way."""
        self._stale = stale
        self.update()

    def sizeHint(self) -> QSize:
        """Every class in full."""
        classes = len(self._shown.classes) if self._shown else 4
        return QSize(240, HEAD + LEAST_ROW * classes)

    def event(self, event: QEvent) -> bool:
        """The counts of a class in words, as its tip."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self._shown is not None:
            place = int((event.pos().y() - HEAD) // self._row_height())
            QToolTip.showText(event.globalPos(), self._tip(place), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw headings, bars and numbers."""
        if self._shown is None:
            return
        painter = QPainter(self)
        painter.setOpacity(STALE if self._stale else 1.0)
        left = self._name_width() + 8
        columns = [*self._shown.counts.values()]
        if self.width() - self._column() * len(columns) - left < LEAST_BAR:
            columns = [tuple(map(sum, zip(*columns, strict=True)))]
        right = self.width() - self._column() * len(columns)
        self._paint_head(painter, right, in_columns=len(columns) == len(self._shown.counts))
        most = max((sum(counts) for counts in zip(*self._shown.counts.values(), strict=True)), default=1) or 1
        for place in range(len(self._shown.classes)):
            self._paint_class(painter, place, left, right - 4, most)
            self._paint_numbers(painter, place, right, columns)
        painter.end()

    def _paint_head(self, painter: QPainter, right: float, *, in_columns: bool) -> None:
        """What the colours mean, above the columns of numbers where every split has one."""
        assert self._shown is not None
        painter.setFont(ui_font(11))
        metrics = QFontMetricsF(painter.font())
        end = float(self.width())
        for column, split in reversed(list(enumerate(self._shown.counts))):
            words = split_words(split, short=True)
            width = metrics.horizontalAdvance(words)
            room = QRectF(right + column * self._column(), 0, self._column(), HEAD)
            if not in_columns:
                room = QRectF(end - width - 12, 0, width + 12, HEAD)
                end -= width + 22
            swatch = QRectF(room.right() - width - 12, room.center().y() - 4, 7, 7)
            painter.fillRect(swatch, color(SPLIT_COLORS[split]))
            painter.setPen(color("text3"))
            painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)

    def _paint_class(self, painter: QPainter, place: int, left: float, right: float, most: int) -> None:
        assert self._shown is not None
        height = self._row_height()
        row = QRectF(0, HEAD + place * height, self.width(), height)
        painter.setFont(ui_font(11))
        painter.setPen(color("text2"))
        metrics = QFontMetricsF(painter.font())
        name = metrics.elidedText(self._shown.classes[place], Qt.TextElideMode.ElideRight, left - 8)
        painter.drawText(QRectF(0, row.top(), left - 8, height), Qt.AlignmentFlag.AlignVCenter, name)
        bar = min(10.0, height - 5)
        start = left
        for split, counts in self._shown.counts.items():
            width = (right - 8 - left) * counts[place] / most
            top = round(row.center().y() - bar / 2)
            if counts[place]:
                painter.fillRect(QRectF(start, top, max(1.0, width - 1), bar), color(SPLIT_COLORS[split]))
            start += width

    def _paint_numbers(self, painter: QPainter, place: int, right: float, columns: list[tuple[int, ...]]) -> None:
        painter.setFont(mono_font(11))
        height = self._row_height()
        for column, counts in enumerate(columns):
            room = QRectF(right + column * self._column(), HEAD + place * height, self._column(), height)
            painter.setPen(color("text" if counts[place] else "text3"))
            side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(room, side, f"{counts[place]:,}")

    def _row_height(self) -> float:
        assert self._shown is not None
        classes = max(1, len(self._shown.classes))
        return float(min(MOST_ROW, max(LEAST_ROW, (self.height() - HEAD) // classes)))

    def _name_width(self) -> float:
        assert self._shown is not None
        metrics = QFontMetricsF(ui_font(11))
        widest = max((metrics.horizontalAdvance(name) for name in self._shown.classes), default=0.0)
        return min(widest + 2, self.width() * 0.36)

    def _column(self) -> float:
        assert self._shown is not None
        digits = max((max(counts, default=0) for counts in self._shown.counts.values()), default=0)
        numbers = QFontMetricsF(mono_font(11)).horizontalAdvance(f"{digits:,}") + 14
        heads = [QFontMetricsF(ui_font(11)).horizontalAdvance(split_words(one, short=True)) for one in SPLIT_COLORS]
        return max(numbers, max(heads[: len(self._shown.counts)], default=0.0) + 20)

    def _tip(self, place: int) -> str:
        if self._shown is None or not 0 <= place < len(self._shown.classes):
            return ""
        parts = [f"{split_words(split)} {counts[place]:,}" for split, counts in self._shown.counts.items()]
        return f"{self._shown.classes[place]}: {', '.join(parts)}"


class SpreadChart(QWidget):
    """A histogram of a target's values, its parts the splits, with the mean marked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: Histogram | None = None
        self._stale = False
        self.setMinimumHeight(90)
        self.setAccessibleName(self.tr("How the answers are spread"))

    def show_spread(self, spread: Histogram) -> None:
        """Shows other values."""
        self._shown, self._stale = spread, False
        self.setToolTip(spread_words(spread))
        self.setAccessibleDescription(spread_words(spread))
        self.update()

    def set_stale(self, stale: bool) -> None:
        """Pales what is shown while something newer is on its way."""
        self._stale = stale
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bars, the mean and the ends of the axis."""
        if self._shown is None:
            return
        painter = QPainter(self)
        painter.setOpacity(STALE if self._stale else 1.0)
        room = QRectF(0, HEAD, self.width(), self.height() - HEAD - FOOT)
        stacked = np.array(list(self._shown.counts.values()))
        most = float(stacked.sum(0).max()) or 1.0
        step = room.width() / stacked.shape[1]
        for bar in range(stacked.shape[1]):
            base = room.bottom()
            for split, counts in zip(self._shown.counts, stacked, strict=True):
                height = room.height() * counts[bar] / most
                area = QRectF(round(room.left() + bar * step), base - height, max(1.0, round(step) - 1), height)
                painter.fillRect(area, color(SPLIT_COLORS[split]))
                base -= height
        painter.setPen(color("border2"))
        painter.drawLine(QPointF(room.left(), room.bottom() + 0.5), QPointF(room.right(), room.bottom() + 0.5))
        self._paint_words(painter, room)
        painter.end()

    def _paint_words(self, painter: QPainter, room: QRectF) -> None:
        assert self._shown is not None
        low, high = float(self._shown.edges[0]), float(self._shown.edges[-1])
        painter.setFont(ui_font(11))
        painter.setPen(color("text3"))
        foot = QRectF(room.left(), room.bottom() + 2, room.width(), FOOT - 2)
        painter.drawText(foot, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, number(low))
        painter.drawText(foot, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, number(high))
        at = room.left() + room.width() * (self._shown.mean - low) / ((high - low) or 1.0)
        painter.setPen(color("text"))
        painter.drawLine(QPointF(round(at) + 0.5, room.top() - 3), QPointF(round(at) + 0.5, room.bottom()))
        words = self.tr("mean {0}").format(number(self._shown.mean))
        width = QFontMetricsF(painter.font()).horizontalAdvance(words)
        left = min(max(at - width / 2, room.left()), room.right() - width)
        painter.drawText(QRectF(left, 0, width + 2, HEAD - 3), Qt.AlignmentFlag.AlignVCenter, words)


def split_words(split: str, *, short: bool = False) -> str:
    """A split as a person reads it."""
    words = {"train": _tr("training"), "val": _tr("validation"), "test": _tr("test")}
    brief = {"train": _tr("train"), "val": _tr("val"), "test": _tr("test")}
    return (brief if short else words).get(split, split)


def balance_words(balance: Balance) -> str:
    """What the bars say, in words: whether the classes are even, and which are not."""
    sums = [sum(counts) for counts in zip(*balance.counts.values(), strict=True)]
    if not sums:
        return ""
    low, high = min(sums), max(sums)
    if low == high:
        return _tr("even: {0} each").format(f"{low:,}")
    if low and high / low <= EVEN:
        return _tr("nearly even: {0} to {1} each").format(f"{low:,}", f"{high:,}")
    if not low:
        return _tr("{0} has no samples").format(balance.classes[sums.index(low)])
    most, least = balance.classes[sums.index(high)], balance.classes[sums.index(low)]
    return _tr("uneven: {0} {1} of all, {2} {3}").format(most, percent(high / sum(sums), 2), least,
                                                        percent(low / sum(sums), 2))  # fmt: skip


def spread_words(spread: Histogram) -> str:
    """What the histogram says, in words."""
    return _tr("{0}: mean {1}, deviation {2}").format(spread.name, number(spread.mean), number(spread.deviation))


def _tr(text: str) -> str:
    return QCoreApplication.translate("DataPanel", text)
