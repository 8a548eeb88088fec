"""The promises about colour, computed again from the tokens: a colour that breaks one does not merge."""

from __future__ import annotations

import numpy as np
import pytest

from gui.theme import DARK, FAMILIES, LIGHT, Theme, tint

from .colour_science import contrast, distance, lab, nearest

THEMES = pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
SURFACES = ("window", "panel", "canvas", "raised", "node", "sunken")
ROWS = ("hover", "selected")
FLOORS = {
    "dark": {"text": (12.4, 10.8), "text2": (7.1, 6.1), "text3": (5.2, 4.6), "accent": (6.2, 5.3), "ok": (6.7, 5.8),
             "warn": (8.0, 6.9), "error": (5.4, 4.7), "frozen": (8.5, 7.4), "control": (3.7, 3.2)},
    "light": {"text": (14.7, 14.1), "text2": (6.8, 6.5), "text3": (4.9, 4.7), "accent": (4.9, 4.7), "ok": (5.0, 4.8),
              "warn": (5.0, 4.8), "error": (5.0, 4.8), "frozen": (5.1, 4.9), "control": (3.2, 3.0)},
}  # fmt: skip
FAMILY_DISTANCE = {
    "dark": {"normal": 18.6, "protan": 13.6, "deutan": 13.0, "tritan": 12.7},
    "light": {"normal": 20.9, "protan": 12.3, "deutan": 12.4, "tritan": 13.6},
}
SERIES_DISTANCE = {
    "dark": {"normal": 17.6, "protan": 13.6, "deutan": 12.6, "tritan": 12.9},
    "light": {"normal": 16.3, "protan": 14.6, "deutan": 13.6, "tritan": 16.2},
}
ROUNDING = 0.05
"""The promised figures are rounded to one decimal."""


def test_the_distance_formula_gives_the_published_values() -> None:
    # Pairs 1, 7 and 17 of the test data of Sharma, Wu and Dalal.
    pairs = [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ]
    for first, second, published in pairs:
        assert distance(np.array(first, float), np.array(second, float)) == pytest.approx(published, abs=1e-3)


@THEMES
@pytest.mark.parametrize("token", FLOORS["dark"])
def test_every_ink_is_readable_on_every_surface(theme: Theme, token: str) -> None:
    surface_floor, row_floor = FLOORS[theme.name][token]
    ink = theme.hex(token)
    assert min(contrast(ink, theme.hex(one)) for one in SURFACES) >= surface_floor - ROUNDING
    assert min(contrast(ink, theme.hex(one)) for one in ROWS) >= row_floor - ROUNDING


@THEMES
def test_the_main_button_can_be_read(theme: Theme) -> None:
    assert contrast(theme.on_accent, theme.accent_fill) >= (4.7 if theme.dark else 5.8) - ROUNDING


@THEMES
@pytest.mark.parametrize("sight", ["normal", "protan", "deutan", "tritan"])
def test_families_and_series_stay_apart_for_every_sight(theme: Theme, sight: str) -> None:
    assert nearest(theme.family.values(), sight) >= FAMILY_DISTANCE[theme.name][sight] - ROUNDING
    assert nearest((*theme.series, theme.baseline), sight) >= SERIES_DISTANCE[theme.name][sight] - ROUNDING


@THEMES
def test_a_glyph_stands_out_from_its_tile(theme: Theme) -> None:
    for family in FAMILIES:
        tile = tint(theme.family_color(family), theme.color("node"), theme.tile_share).name()
        assert contrast(theme.family[family], tile) >= 3.4 - ROUNDING, family


@THEMES
def test_curves_stand_out_from_the_panel(theme: Theme) -> None:
    floor = 4.5 if theme.dark else 3.0
    assert all(contrast(one, theme.panel) >= floor - ROUNDING for one in (*theme.series, theme.baseline))


@THEMES
def test_the_gradient_scale_goes_one_way_in_equal_steps_for_every_sight(theme: Theme) -> None:
    towards_ink = 1 if theme.dark else -1
    steps = np.diff([lab(one)[0] for one in theme.gradient]) * towards_ink
    assert steps == pytest.approx(7.5, abs=0.6)
    for sight in ("protan", "deutan", "tritan"):
        assert (np.diff([lab(one, sight)[0] for one in theme.gradient]) * towards_ink > 0).all(), sight


@THEMES
def test_the_gradient_scale_is_interpolated_and_held_at_its_ends(theme: Theme) -> None:
    assert theme.gradient_color(-1).name().upper() == theme.gradient[0]
    assert theme.gradient_color(2).name().upper() == theme.gradient[-1]
    assert theme.gradient_color(0.5).name().upper() == theme.gradient[4]
    between, low, high = (theme.gradient_color(1 / 16), theme.color(theme.gradient[0]), theme.color(theme.gradient[1]))
    assert abs(between.red() - (low.red() + high.red()) / 2) <= 1


def test_both_themes_have_the_same_families_and_nine_stops() -> None:
    for theme in (DARK, LIGHT):
        assert tuple(theme.family) == FAMILIES
        assert (len(theme.gradient), len(theme.series)) == (9, 8)


def test_a_token_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError, match="txet"):
        DARK.color("txet")
    with pytest.raises(KeyError):
        DARK.color("tile_share")
