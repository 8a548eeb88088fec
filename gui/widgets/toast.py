"""Short good news at the bottom right of the canvas, one at a time, gone by itself. Never for errors.

Owns placing, painting and the five seconds. Never decides what is worth saying.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QRectF, QTimer
from PySide6.QtGui import QEnterEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gui.shadow import margin, paint_shadow
from gui.theme import color, metrics
from gui.widgets.box import paint_box
from gui.widgets.buttons import Button, tool_button
from gui.widgets.fade import fade_in
from gui.widgets.labels import ElidedLabel
from gui.widgets.states import IconLabel


class ToastHost(QObject):
    """Shows toasts inside `area`; a new one replaces the one that is there. `lift` keeps clear of the minimap."""

    def __init__(self, area: QWidget, *, lift: int = 0) -> None:
        super().__init__(area)
        self._area = area
        self.lift = lift
        self.toast: Toast | None = None
        area.installEventFilter(self)

    def show(
        self,
        title: str,
        text: str = "",
        *,
        icon_name: str = "check",
        token: str = "ok",
        action: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        """Say `title` and a line of `text`; `action` is a label and what pressing it does."""
        self.dismiss()
        self.toast = Toast(self._area, title, text, icon_name, token, action)
        self.toast.closed.append(self._forget)
        self._place()
        self.toast.show()
        self.toast.raise_()
        fade_in(self.toast)

    def dismiss(self) -> None:
        """Take the toast away now."""
        if self.toast is not None:
            self.toast.dismiss()

    def raise_(self) -> None:
        """Stay above a page that has just been turned up."""
        if self.toast is not None:
            self.toast.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow what happens to the watched widget."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _forget(self) -> None:
        self.toast = None

    def _place(self) -> None:
        if self.toast is None:
            return
        gap, reach = metrics.overlay_margin, margin("popup")
        width = min(metrics.toast_width, self._area.width() - 2 * gap) + 2 * reach
        height = max(metrics.toast_height, self.toast.sizeHint().height() - 2 * reach) + 2 * reach
        left = self._area.width() - gap - width + reach
        top = self._area.height() - gap - self.lift - height + reach
        self.toast.setGeometry(left, top, width, height)


class Toast(QWidget):
    """One message; stays while the pointer is over it."""

    def __init__(
        self,
        area: QWidget,
        title: str,
        text: str,
        icon_name: str,
        token: str,
        action: tuple[str, Callable[[], object]] | None,
    ) -> None:
        super().__init__(area)
        self.closed: list[Callable[[], object]] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.dismiss)
        self._timer.start(metrics.toast_ms)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addStretch(1)
        words.addWidget(ElidedLabel(title, role="strong"))
        if text:
            words.addWidget(ElidedLabel(text, role="label"))
        words.addStretch(1)
        layout = QHBoxLayout(self)
        reach = margin("popup")
        layout.setContentsMargins(reach + 14, reach, reach + 10, reach)
        layout.setSpacing(12)
        layout.addWidget(IconLabel(icon_name, token=token))
        layout.addLayout(words, 1)
        self.action: Button | None = None
        if action is not None:
            self.action = Button(action[0], kind="link")
            self.action.clicked.connect(lambda: self._act(action[1]))
            layout.addWidget(self.action)
        self.close_button = tool_button("close", self.tr("Close this message"), dense=True, size=14)
        self.close_button.clicked.connect(self.dismiss)
        layout.addWidget(self.close_button)
        self.setAccessibleName(f"{title} {text}".strip())

    def dismiss(self) -> None:
        """Go away; harmless when already gone."""
        if not self.closed:
            return
        told, self.closed = self.closed, []
        self._timer.stop()
        self.hide()
        self.deleteLater()
        for callback in told:
            callback()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Notice that the pointer came."""
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        """Forget where the pointer was."""
        self._timer.start(metrics.toast_ms)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QPainter(self)
        reach = margin("popup")
        box = QRectF(self.rect()).adjusted(reach, reach, -reach, -reach)
        paint_shadow(painter, box, metrics.radius_popup, "popup")
        paint_box(painter, box, fill=color("raised"), edge=color("border2"), radius=metrics.radius_popup)
        painter.end()

    def _act(self, do: Callable[[], object]) -> None:
        self.dismiss()
        do()
