"""Colours and which of the two themes holds: one value for style sheet, canvas and charts.

Owns the `themes` object that says which theme is current. Never styles a widget (`gui.style` does) and never paints.
Colours live in `gui.tokens`, sizes in `gui.metrics` and fonts in `gui.fonts`; all are re-exported here, because whoever
draws needs all of them.
"""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication

from gui.fonts import line_height, mono_font, row_height, ui_font
from gui.metrics import Metrics, metrics
from gui.tokens import DARK, FAMILIES, LIGHT, Theme, mix

__all__ = [
    "DARK",
    "FAMILIES",
    "LIGHT",
    "Metrics",
    "Mode",
    "Theme",
    "ThemeManager",
    "color",
    "family_color",
    "gradient_color",
    "line_height",
    "metrics",
    "mix",
    "mono_font",
    "row_height",
    "themes",
    "tint",
    "ui_font",
]  # fmt: skip

Mode = Literal["system", "dark", "light"]


def tint(over: QColor | str, under: QColor | str, share: float) -> QColor:
    """An opaque tint: what `over` at `share` opacity looks like on `under`. Both may be tokens or hex texts."""
    return mix(_as_color(over), _as_color(under), share)


def _as_color(given: QColor | str) -> QColor:
    return given if isinstance(given, QColor) else themes.current.color(given)


class ThemeManager(QObject):
    """Which theme holds now. `changed` is emitted after `current` has changed, never when it stayed the same."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._mode: Mode = "system"
        self._current = DARK
        self._following = False

    @property
    def current(self) -> Theme:
        """The theme to draw with."""
        return self._current

    @property
    def mode(self) -> Mode:
        """What the person chose: follow the system, or hold one theme."""
        return self._mode

    def set_mode(self, mode: Mode) -> None:
        """Follow the system or hold one theme. Needs a QGuiApplication only for "system"."""
        if mode not in ("system", "dark", "light"):
            raise ValueError(f"no theme mode {mode!r}")
        self._mode = mode
        self._follow()
        application = QGuiApplication.instance()
        if isinstance(application, QGuiApplication):
            # Asking the platform too makes native title bars and file dialogs agree with the window.
            wanted = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light}
            application.styleHints().setColorScheme(wanted.get(mode, Qt.ColorScheme.Unknown))
        self._settle()

    def _follow(self) -> None:
        application = QGuiApplication.instance()
        if not self._following and isinstance(application, QGuiApplication):
            application.styleHints().colorSchemeChanged.connect(self._settle)
            self._following = True

    def _settle(self) -> None:
        new = {"dark": DARK, "light": LIGHT}.get(self._mode) or self._system()
        if new is not self._current:
            self._current = new
            self.changed.emit()

    def _system(self) -> Theme:
        application = QGuiApplication.instance()
        if not isinstance(application, QGuiApplication):
            return DARK
        # A system without an opinion gets the dark theme: charts and gradients read best on it.
        return LIGHT if application.styleHints().colorScheme() == Qt.ColorScheme.Light else DARK


themes = ThemeManager()


def color(token: str, share: float = 1.0) -> QColor:
    """The colour of `token` in the current theme, at `share` opacity."""
    return themes.current.color(token, share)


def family_color(family: str) -> QColor:
    """The glyph colour of a layer family in the current theme."""
    return themes.current.family_color(family)


def gradient_color(position: float) -> QColor:
    """The gradient scale of the current theme at `position`, 0 weak to 1 strong."""
    return themes.current.gradient_color(position)
