"""Sizes in pixels at 100 % scale: the grid, radii, heights and times that all parts share.

Owns numbers only. Never measures a font (`gui.fonts`) and never knows a colour (`gui.theme`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metrics:
    """The sizes of the whole window; everything sits on a grid of 8 with half steps of 4."""

    grid: int = 8
    half: int = 4
    panel_padding: int = 14
    control_padding: int = 12
    row: int = 24
    row_tall: int = 28
    field: int = 28
    field_dense: int = 26
    label_column: int = 102
    tab_bar: int = 32
    menu_bar: int = 28
    toolbar: int = 44
    status_bar: int = 26
    section_head: int = 32
    radius_check: int = 4
    radius_field: int = 5
    radius_button: int = 6
    radius_node: int = 8
    radius_popup: int = 10
    radius_block: int = 12
    canvas_dots: int = 24
    overlay_margin: int = 12
    popup_margin: int = 16
    """Translucent room around a popup for its shadow."""
    toast_width: int = 372
    toast_height: int = 56
    toast_ms: int = 5000
    hover_ms: int = 120
    popup_ms: int = 160
    move_ms: int = 220
    quiet_ms: int = 300
    """Work shorter than this shows no progress at all."""
    line_ms: int = 2000
    """Work shorter than this shows a thin line only."""


metrics = Metrics()
