"""Which theme holds, what follows a change of it, fonts, icons and the reference-count trap."""

from __future__ import annotations

import sys

import pyqtgraph as pg
import pytest
from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QIcon, QImage
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from gui import icons, style
from gui.theme import DARK, FAMILIES, LIGHT, line_height, row_height, themes, ui_font


def test_a_held_theme_is_announced_once_and_only_when_it_changes(styled: QApplication) -> None:
    heard: list[str] = []
    themes.changed.connect(listener := lambda: heard.append(themes.current.name))
    themes.set_mode("light")
    themes.set_mode("light")
    themes.set_mode("dark")
    themes.changed.disconnect(listener)
    assert heard == ["light", "dark"]


def test_the_sheet_is_accepted_and_paints_the_tokens(styled: QApplication, qtbot: QtBot) -> None:
    button = QPushButton()
    button.setProperty("kind", "primary")
    qtbot.addWidget(button)
    button.resize(120, 30)
    for theme in (DARK, LIGHT):
        style.apply(styled, theme)
        assert button.grab().toImage().pixelColor(60, 15) == theme.color("accent_fill")


def test_every_line_of_the_interface_is_as_tall_as_its_tallest_family(qapp: QApplication) -> None:
    heights = []
    for family in ui_font(13).families():
        font = QFont(family)
        font.setPixelSize(13)
        heights.append(QFontMetricsF(font).height())
    assert line_height(13) >= max(heights)
    assert row_height(13, 24, 8) >= max(24, line_height(13) + 8)


def test_figures_all_have_the_same_width(qapp: QApplication) -> None:
    metrics = QFontMetricsF(ui_font(12))
    assert len({round(metrics.horizontalAdvance(figure * 10), 2) for figure in "0123456789"}) == 1


@pytest.mark.parametrize("name", icons.icon_names())
def test_every_icon_stays_in_its_live_area_and_takes_its_colour_from_outside(qapp: QApplication, name: str) -> None:
    assert "#" not in icons.source(name)
    image = icons.pixmap(name, 80, QColor("#ff0000")).toImage()
    drawn = [(x, y) for x in range(80) for y in range(80) if image.pixelColor(x, y).alpha() > 128]
    assert drawn, "nothing is drawn"
    # Live area 3 to 17 of 20, and half a stroke of 1.5: no ink beyond 2 and 18.
    assert all(7 <= x <= 72 and 7 <= y <= 72 for x, y in drawn)
    assert image.pixelColor(*drawn[0]).red() > 200


def test_every_family_has_a_glyph(qapp: QApplication) -> None:
    assert {f"family-{one}" for one in FAMILIES} <= set(icons.icon_names())
    assert not icons.family_icon("unknown-family").isNull()


def test_an_icon_follows_the_theme_and_is_sharp_at_every_scale(styled: QApplication) -> None:
    made = icons.icon("stop", "accent")

    def middle(scale: float) -> QImage:
        return made.pixmap(QSize(16, 16), scale, QIcon.Mode.Normal, QIcon.State.Off).toImage()

    assert middle(2.0).size() == QSize(32, 32)
    assert middle(1.0).pixelColor(8, 8) == DARK.color("accent")
    themes.set_mode("light")
    assert middle(1.0).pixelColor(8, 8) == LIGHT.color("accent")


def test_an_icon_that_was_never_drawn_is_refused() -> None:
    with pytest.raises(KeyError, match="no icon"):
        icons.icon("unicorn")


class Speaker(QObject):
    """Emits what the trap once lost references to."""

    said = Signal(object)


def test_repainting_and_emitting_lose_no_references(qtbot: QtBot) -> None:
    # PySide6 6.12.0 on Python 3.11 loses references to None at each paint and to True at each signal, until it aborts.
    plot = pg.PlotWidget()
    qtbot.addWidget(plot)
    plot.plot([1, 3, 2])
    plot.resize(300, 200)
    plot.show()
    plot.grab()
    heard: list[int] = [0]
    speaker = Speaker()
    speaker.said.connect(lambda value: heard.__setitem__(0, heard[0] + 1))
    nothing, truth = sys.getrefcount(None), sys.getrefcount(True)
    for turn in range(3000):
        speaker.said.emit(True)
        if turn % 60 == 0:
            plot.grab()
    assert heard == [3000]
    # Caches may let go of a few references; the defect loses 193 for each repaint and one for each signal.
    assert sys.getrefcount(None) > nothing - 500
    assert sys.getrefcount(True) > truth - 500
