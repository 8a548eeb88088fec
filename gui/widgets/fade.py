"""Popups come into sight within a sixth of a second instead of all at once; with reduced motion they are just there.

Owns that one movement. The effect goes away with its end: it draws through a picture, which costs at every repaint.
"""

from __future__ import annotations

from PySide6.QtCore import QAbstractAnimation, QPropertyAnimation
from PySide6.QtWidgets import QGraphicsOpacityEffect, QWidget

from gui.motion import motion_ms
from gui.theme import metrics


def fade_in(widget: QWidget) -> None:
    """Call it right after `show`."""
    time = motion_ms(metrics.popup_ms)
    if not time or widget.graphicsEffect() is not None:
        return
    effect = QGraphicsOpacityEffect(widget)
    effect.setOpacity(0.0)
    widget.setGraphicsEffect(effect)
    # A child of the widget, not of the effect: taking the effect away must not destroy what is telling its end.
    motion = QPropertyAnimation(effect, b"opacity", widget)
    motion.setDuration(time)
    motion.setEndValue(1.0)
    motion.finished.connect(lambda: widget.setGraphicsEffect(None))
    motion.start(QAbstractAnimation.DeletionPolicy.DeleteWhenStopped)
