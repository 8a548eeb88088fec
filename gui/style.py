"""The style of every standard control: Fusion underneath, one sheet generated from the theme on top.

Owns applying palette, font and sheet to the application and doing it again when the theme changes. The sheet's text is
in `gui.sheet`. Never styles one widget by itself: a widget says what it is through the properties `kind`, `role` and
`invalid`, and calls `restyle` when one of them changes.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory, QWidget

from gui.icons import colored_source
from gui.sheet import MARKS, sheet
from gui.theme import Theme, themes, ui_font


def apply(application: QApplication, theme: Theme | None = None) -> None:
    """Give the whole application the look of `theme`, or of the current theme when none is named."""
    theme = theme or themes.current
    if application.style().objectName().lower() != "fusion" and not application.styleSheet():
        application.setStyle(QStyleFactory.create("Fusion"))
    application.setFont(ui_font())
    application.setPalette(palette(theme))
    application.setStyleSheet(sheet(theme, _marks(theme)))


def follow_theme(application: QApplication) -> None:
    """Apply the current theme now, and again at every change of it. Calling it twice does no harm."""
    apply(application)
    if not application.property("layerwright-follows-theme"):
        application.setProperty("layerwright-follows-theme", True)
        themes.changed.connect(_apply_to_instance)


def restyle(widget: QWidget) -> None:
    """Make the sheet look at a widget's properties again, after one of them has changed."""
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)
    widget.update()


def set_property(widget: QWidget, name: str, value: object) -> None:
    """Set one styled property and restyle, but only when the value is new."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        restyle(widget)


def palette(theme: Theme) -> QPalette:
    """The QPalette that agrees with the sheet, for what Qt paints without asking the sheet."""
    made = QPalette()
    role = QPalette.ColorRole
    tokens = {
        role.Window: "panel",
        role.WindowText: "text",
        role.Base: "sunken",
        role.AlternateBase: "panel",
        role.ToolTipBase: "raised",
        role.ToolTipText: "text",
        role.PlaceholderText: "text3",
        role.Text: "text",
        role.Button: "raised",
        role.ButtonText: "text",
        role.BrightText: "error",
        role.Light: "border2",
        role.Midlight: "border",
        role.Mid: "border2",
        role.Dark: "border2",
        role.Shadow: "window",
        role.Highlight: "selected",
        role.HighlightedText: "text",
        role.Accent: "accent",
        role.Link: "accent",
        role.LinkVisited: "accent",
    }
    for which, token in tokens.items():
        made.setColor(which, theme.color(token))
    for which in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        made.setColor(QPalette.ColorGroup.Disabled, which, theme.color("text3"))
    return made


def _apply_to_instance() -> None:
    application = QApplication.instance()
    if isinstance(application, QApplication):
        apply(application)


@cache
def _marks(theme: Theme) -> dict[str, str]:
    """Write the small drawings that a style sheet can only take from files; return mark -> address for `url()`."""
    folder = _folder()
    addresses = {}
    for mark, (name, token) in MARKS.items():
        path = folder / f"{theme.name}-{mark}.svg"
        path.write_text(colored_source(name, theme.color(token)), encoding="utf-8")
        addresses[mark] = path.as_posix()
    return addresses


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="layerwright-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
