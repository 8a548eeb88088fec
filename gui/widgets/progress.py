"""Progress: nothing at first, then a thin line, then a bar with words, amount, time left and Cancel.

Owns painting and the delay. Never does the work and never stops it: Cancel is a signal.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from gui.clock import clock
from gui.motion import reduced
from gui.theme import color, metrics
from gui.widgets.box import paint_box
from gui.widgets.buttons import tool_button
from gui.widgets.labels import ElidedLabel

STRIDE = 0.04
PIECE = 0.3


class Bar(QWidget):
    """A bar `thickness` pixels high; a share of None means that nobody knows how much there is."""

    def __init__(self, *, thickness: int = 4, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thickness = thickness
        self._share: float | None = 0.0
        self._phase = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(thickness)

    @property
    def share(self) -> float | None:
        """How much is done, 0 to 1, or None when unknown."""
        return self._share

    def set_share(self, share: float | None) -> None:
        """Show how much is done."""
        if share is None and self._share is not None and not reduced():
            clock.subscribe(self, self._advance)
        elif share is not None and self._share is None:
            clock.unsubscribe(self)
        self._share = None if share is None else min(max(share, 0.0), 1.0)
        self.update()

    def sizeHint(self) -> QSize:
        """The size at which everything shows."""
        return QSize(120, self._thickness)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QPainter(self)
        radius = self._thickness / 2
        whole = QRectF(self.rect())
        paint_box(painter, whole, fill=color("border2"), edge=None, radius=radius)
        done = self._done(whole)
        if done.width() > 0:
            paint_box(painter, done, fill=color("accent"), edge=None, radius=min(radius, done.width() / 2))
        painter.end()

    def _done(self, whole: QRectF) -> QRectF:
        if self._share is not None:
            return QRectF(0, 0, whole.width() * self._share, whole.height())
        if reduced():
            return QRectF(whole.width() * (1 - PIECE) / 2, 0, whole.width() * PIECE, whole.height())
        left = (self._phase * (1 + PIECE) - PIECE) * whole.width()
        return QRectF(left, 0, PIECE * whole.width(), whole.height()) & whole

    def _advance(self) -> None:
        self._phase = (self._phase + STRIDE) % 1.0
        self.update()


class ProgressLine(Bar):
    """A line of 2 px for the top of a panel; shows itself only when the work takes longer than 0.3 seconds."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(thickness=2, parent=parent)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.timeout.connect(self._appear)
        policy = self.sizePolicy()
        # Keeping its place means that nothing below jumps when it appears.
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)
        self.hide()

    def begin(self, share: float | None = None) -> None:
        """Say that work has begun."""
        self.set_share(share)
        if self.isHidden() and not self._delay.isActive():
            self._delay.start(metrics.quiet_ms)

    def finish(self) -> None:
        """Say that the work is done; a line that has not appeared yet never will."""
        self._delay.stop()
        self.hide()
        self.set_share(0.0)

    def _appear(self) -> None:
        self.show()


class ProgressRow(QWidget):
    """Words, amount, time left, a bar and Cancel, for work of more than two seconds."""

    cancelled = Signal()

    def __init__(self, words: str = "", *, cancellable: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = ElidedLabel(words, role="strong")
        self.amount = QLabel()
        self.left = QLabel()
        self.left.setProperty("role", "label")
        self.bar = Bar()
        self.cancel = tool_button("close", self.tr("Cancel"), size=14)
        if not cancellable:  # showing what has no parent yet would open it as a window for a moment
            self.cancel.hide()
        self.cancel.clicked.connect(self._cancel)
        head = QHBoxLayout()
        head.setSpacing(metrics.grid)
        head.addWidget(self.words, 1)
        head.addWidget(self.amount)
        head.addWidget(self.left)
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.bar)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(metrics.grid)
        layout.addLayout(column, 1)
        layout.addWidget(self.cancel)

    def set_progress(self, share: float | None, *, words: str | None = None, amount: str = "", left: str = "") -> None:
        """Show how much is done, in the bar and in words ("18 of 30 MB", "2 min left")."""
        if words is not None:
            self.words.setText(words)
        self.amount.setText(amount)
        self.left.setText(left)
        self.left.setVisible(bool(left))
        self.bar.set_share(share)

    def _cancel(self) -> None:
        # Stopping can take a moment: a second press would only ask again.
        self.cancel.setEnabled(False)
        self.cancelled.emit()
