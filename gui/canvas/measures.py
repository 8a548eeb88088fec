"""Sizes of everything on the canvas, in scene pixels, and which look holds at which zoom.

Owns numbers only. One scene pixel is one screen pixel at 100 %.
"""

from __future__ import annotations

from enum import Enum
from math import floor

MIN_ZOOM, MAX_ZOOM = 0.1, 4.0
FULL_FROM, COMPACT_FROM = 0.7, 0.4
OPENED_AT = 0.5
"""The zoom of a network too large to be read as a whole when it is opened."""
LEAST_TEXT = 9.0
"""No text is drawn smaller than this on the screen."""

NODE_LEAST, NODE_MOST = 112.0, 216.0
INNER_ROOM = 40.0
DETAIL_ROOM = 9 / (11 * 0.7)
NODE_HIGH, NODE_EVIDENCE = 56.0, 80.0
ANCHOR = 28.0
"""A node's stored position is its left edge and the height of its wires less this: boxes of any height that stand at
the same y are joined by level wires, and growing an evidence row or opening a group never bends one."""
MERGE = 48.0
TEXT_LEFT = 38.0
PORT_RADIUS, PORT_GROWN, PORT_HIT = 4.0, 6.0, 12.0
WIRE, WIRE_MORE, WIRE_EDGE = 2.0, 3.4, 2.0
WIRE_HIT = 8.0
LEAST_HANDLE = 24.0
LABEL_HIGH, LABEL_RAISE = 18.0, 16.0

CARD_WIDE, CARD_HIGH = 176.0, 80.0
STACK_WIDE, STACK_HEAD, STACK_ROW, STACK_FOOT = 192.0, 32.0, 28.0, 6.0
MOST_ROWS = 12
"""A longer chain is a card: a stack taller than the screen shows nothing at a glance."""
FRAME_HEAD, FRAME_PADDING = 40.0, 24.0
FRAME_ROOM = 32.0
"""Between a frame's padding and its first layer, so that the wire from its edge can be seen."""
SHEET = 5.0
BADGE_HIGH, BADGE_RIGHT = 22.0, 12.0
PROBLEM = 20.0
RING = 2.0

GRID, GRID_COARSE = 8.0, 24.0
SPARK_PROBES = 36


class Detail(Enum):
    """How much of a box is drawn."""

    FULL = "full"
    COMPACT = "compact"
    DOT = "dot"


def detail_at(zoom: float) -> Detail:
    """The look of boxes at a zoom (1 is 100 %)."""
    if zoom >= FULL_FROM:
        return Detail.FULL
    return Detail.COMPACT if zoom >= COMPACT_FROM else Detail.DOT


def snapped(value: float, grid: float = GRID) -> float:
    """The nearest line of the grid."""
    return floor(value / grid + 0.5) * grid
