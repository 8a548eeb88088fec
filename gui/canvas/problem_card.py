"""The card of a selected problem: what arrived, what was expected, ways to mend it.

Owns its painting and keys 1 to 9. A fix is applied through the document; where the card stands is `card_place.py`.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QToolTip, QWidget

from engine.problem import Fix, Problem
from gui.canvas.boxes import elided
from gui.canvas.findings import differing
from gui.canvas.paint.ink import CENTER, LEFT, RIGHT, font, ink, mono
from gui.canvas.paint.marks import paint_sign
from gui.canvas.paint.wire import underline
from gui.canvas.wrapped import paint_wrapped, wrapped_height
from gui.icons import paint_icon
from gui.shadow import paint_shadow
from gui.theme import metrics
from gui.widgets.box import paint_box

WIDE, AROUND = 404, metrics.popup_margin
HEAD, ROW, FIX, GAP = 48, 20, 42, 6
LABEL_LEFT, VALUE_LEFT = 16, 96
MOST_FIXES = 9


class ProblemCard(QWidget):
    """Shows one problem of a node at a time."""

    mended = Signal(object)
    """The `Fix` that was chosen."""
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.problems: list[Problem] = []
        self.at = 0
        self.pointing = QPointF()
        """Where the little arrow points to, in the card's own pixels; null for none."""
        self._hovered = -1
        self.setMouseTracking(True)
        self.hide()

    @property
    def problem(self) -> Problem | None:
        """The problem on show."""
        return self.problems[self.at] if self.problems else None

    def show_problems(self, problems: list[Problem]) -> None:
        """Takes the problems of a node, worst first; the first is shown."""
        self.problems, self.at, self._hovered = problems, 0, -1
        self.resize(self.sizeHint())
        self.update()

    def fixes(self) -> tuple[Fix, ...]:
        """The ways to mend the problem on show that can be applied."""
        found = self.problem.fixes if self.problem else ()
        return tuple(fix for fix in found if fix.apply is not None)[:MOST_FIXES]

    def press(self, number: int) -> bool:
        """Chooses fix 1 to 9; False when there is none of that number."""
        fixes = self.fixes()
        if not 1 <= number <= len(fixes):
            return False
        self.mended.emit(fixes[number - 1])
        return True

    def sizeHint(self) -> QSize:
        """As high as what it says, with room for its shadow."""
        return QSize(WIDE + 2 * AROUND, round(self._layout()["foot"]) + 2 * AROUND)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draws the card."""
        problem = self.problem
        if problem is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = QRectF(AROUND, AROUND, WIDE, self.height() - 2 * AROUND)
        paint_shadow(painter, card, metrics.radius_popup, "popup")
        paint_box(painter, card, fill=ink("raised"), edge=ink("border2"), radius=metrics.radius_popup)
        self._paint_arrow(painter, card)
        painter.translate(card.topLeft())
        places = self._layout()
        self._paint_head(painter, problem, places["head"])
        self._paint_facts(painter, problem, places)
        self._paint_fixes(painter, places["fixes"])
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Lights up the fix under the pointer."""
        hovered = self._fix_at(event.position())
        if hovered != self._hovered:
            self._hovered = hovered
            over = hovered >= 0 or self._closes(event.position()) or self._turns(event.position())
            self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)
            self.update()
        if hovered >= 0:
            fix = self.fixes()[hovered]
            QToolTip.showText(event.globalPosition().toPoint(), f"{fix.title}\n{fix.detail}".strip(), self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Keeps the press from the canvas below."""
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Chooses a fix, turns to the next problem, or closes."""
        place = event.position()
        if self._closes(place):
            self.hide()
            self.closed.emit()
        elif self._turns(place):
            self.at = (self.at + 1) % len(self.problems)
            self.resize(self.sizeHint())
            self.update()
        elif self._fix_at(place) >= 0:
            self.press(self._fix_at(place) + 1)

    def _layout(self) -> dict[str, float]:
        """Heights at which the parts begin."""
        problem = self.problem
        if problem is None:
            return {"head": 0, "facts": 0, "expected": 0, "fixes": 0, "foot": 60}
        title = wrapped_height(self._title(problem), font(13, 600), WIDE - 90)
        facts = 16 + title + 10
        expected = facts + ROW * len(problem.arrived)
        below = expected
        if problem.expected:
            below += max(ROW, wrapped_height(problem.expected, font(12), WIDE - VALUE_LEFT - 16) + 4)
        fixes = below + 10
        if self.fixes():
            return {"head": title, "facts": facts, "expected": expected, "fixes": fixes,
                    "foot": fixes + 28 + len(self.fixes()) * (FIX + GAP) + 8}  # fmt: skip
        advice = wrapped_height(problem.fix, font(12), WIDE - 32) if problem.fix else 0
        return {"head": title, "facts": facts, "expected": expected, "fixes": fixes,
                "foot": fixes + (28 + advice + 10 if advice else 4)}  # fmt: skip

    def _title(self, problem: Problem) -> str:
        return f"{problem.where.label}: {problem.happened}" if problem.where.label else problem.happened

    def _paint_head(self, painter: QPainter, problem: Problem, high: float) -> None:
        paint_sign(painter, QPointF(26, 26), 9, problem.severity)
        painter.setPen(ink("text"))
        paint_wrapped(painter, QRectF(46, 16, WIDE - 90, high), self._title(problem), font(13, 600))
        paint_icon(painter, "close", QRectF(WIDE - 32, 18, 14, 14), ink("text2"))
        if len(self.problems) > 1:
            painter.setFont(font(11))
            painter.setPen(ink("accent"))
            text = self.tr("{0} of {1}").format(self.at + 1, len(self.problems))
            painter.drawText(QRectF(WIDE - 92, 16, 52, 18), RIGHT, text)

    def _paint_facts(self, painter: QPainter, problem: Problem, places: dict[str, float]) -> None:
        y = places["facts"]
        shapes = [shape for _, shape, _ in problem.arrived]
        for index, (port, shape, origin) in enumerate(problem.arrived):
            if index == 0:
                self._label(painter, y, self.tr("Arrived"))
            painter.setFont(mono(11))
            painter.setPen(ink("text3"))
            # A port that takes any number of wires has one name for all: their order tells them apart.
            name = str(index + 1) if len({one for one, _, _ in problem.arrived}) < len(shapes) else port[:2]
            painter.drawText(QRectF(VALUE_LEFT - 16, y, 16, ROW), LEFT, name)
            figures = mono(12)
            painter.setFont(figures)
            painter.setPen(ink("text"))
            painter.drawText(QRectF(VALUE_LEFT + 2, y, 140, ROW), LEFT, shape)
            marks = differing(shape, [other for other in shapes if other != shape])
            if len(set(shapes)) > 1:
                underline(painter, shape, marks, VALUE_LEFT + 2, y + ROW - 2, QFontMetricsF(figures), 1.5)
            used = max(110.0, QFontMetricsF(figures).horizontalAdvance(shape) + 18)
            painter.setFont(font(12))
            painter.setPen(ink("text2"))
            room = WIDE - VALUE_LEFT - used - 12
            painter.drawText(QRectF(VALUE_LEFT + used, y, room, ROW), LEFT, elided(origin, room, 12, 400))
            y += ROW
        if problem.expected:
            words = self.tr("Why") if problem.source else self.tr("Expected")
            self._label(painter, places["expected"], words)
            painter.setPen(ink("text"))
            area = QRectF(VALUE_LEFT - 16, places["expected"] + 2, WIDE - VALUE_LEFT, 200)
            paint_wrapped(painter, area, problem.expected, font(12))

    def _paint_fixes(self, painter: QPainter, top: float) -> None:
        problem, fixes = self.problem, self.fixes()
        if problem is None or not (fixes or problem.fix):
            return
        painter.setPen(ink("border"))
        painter.drawLine(QPointF(16, top), QPointF(WIDE - 16, top))
        painter.setFont(font(12))
        painter.setPen(ink("text2"))
        head = self.tr("Ways to mend it") if fixes else self.tr("What to do")
        painter.drawText(QRectF(LABEL_LEFT, top + 5, WIDE - 32, 20), LEFT, head)
        if not fixes:
            painter.setPen(ink("text"))
            paint_wrapped(painter, QRectF(LABEL_LEFT, top + 26, WIDE - 32, 200), problem.fix, font(12))
        for index, fix in enumerate(fixes):
            self._paint_fix(painter, self._fix_rect(index, top), index, fix)

    def _paint_fix(self, painter: QPainter, rect: QRectF, index: int, fix: Fix) -> None:
        first = index == (self._hovered if self._hovered >= 0 else 0)
        paint_box(
            painter, rect, fill=ink("selected" if first else "raised"), edge=ink("accent" if first else "border2"),
            radius=metrics.radius_button,
        )  # fmt: skip
        key = QRectF(rect.x() + 8, rect.center().y() - 10, 20, 20)
        paint_box(painter, key, fill=ink("accent_fill" if first else "hover"), edge=None, radius=5)
        painter.setFont(font(12, 600))
        painter.setPen(ink("on_accent" if first else "text2"))
        painter.drawText(key, CENTER, str(index + 1))
        shape = QFontMetricsF(mono(11)).horizontalAdvance(fix.shape) + 14 if fix.shape else 0.0
        room = rect.width() - 38 - 12 - shape
        painter.setPen(ink("text"))
        middle = rect.center().y()
        title = QRectF(rect.x() + 38, middle - (18 if fix.detail else 10), room, 19)
        painter.drawText(title, LEFT, elided(fix.title, room, 12, 600))
        if fix.detail:
            painter.setFont(font(11))
            painter.setPen(ink("text2"))
            room = rect.width() - 50
            painter.drawText(QRectF(rect.x() + 38, middle, room, 17), LEFT, elided(fix.detail, room, 11, 400))
        if fix.shape:
            painter.setFont(mono(11))
            painter.setPen(ink("text"))
            painter.drawText(QRectF(rect.right() - 12 - shape, middle - 18, shape, 19), RIGHT, fix.shape)

    def _label(self, painter: QPainter, y: float, text: str) -> None:
        painter.setFont(font(12))
        painter.setPen(ink("text2"))
        painter.drawText(QRectF(LABEL_LEFT, y, VALUE_LEFT, ROW), LEFT, text)

    def _paint_arrow(self, painter: QPainter, card: QRectF) -> None:
        tip = self.pointing
        if tip.isNull():
            return
        up = tip.y() < card.top()
        edge = card.top() + 0.5 if up else card.bottom() - 0.5
        x = min(max(tip.x(), card.left() + 20), card.right() - 20)
        shape = QPolygonF([QPointF(x - 8, edge), QPointF(x, edge - 8 if up else edge + 8), QPointF(x + 8, edge)])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink("raised"))
        painter.drawPolygon(shape.translated(0, 1 if up else -1))
        painter.setPen(ink("border2"))
        painter.drawPolyline(shape)

    def _fix_rect(self, index: int, top: float) -> QRectF:
        return QRectF(12, top + 28 + index * (FIX + GAP), WIDE - 24, FIX)

    def _fix_at(self, place: QPointF) -> int:
        top = self._layout()["fixes"]
        inside = place - QPointF(AROUND, AROUND)
        return next((i for i in range(len(self.fixes())) if self._fix_rect(i, top).contains(inside)), -1)

    def _closes(self, place: QPointF) -> bool:
        return QRectF(AROUND + WIDE - 40, AROUND + 8, 34, 34).contains(place)

    def _turns(self, place: QPointF) -> bool:
        return len(self.problems) > 1 and QRectF(AROUND + WIDE - 96, AROUND + 8, 56, 34).contains(place)
