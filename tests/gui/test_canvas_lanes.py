"""Wires pass round the boxes that lie between their ends."""

from __future__ import annotations

import time

from PySide6.QtCore import QPointF, QRectF

from gui.canvas.lanes import CLEAR, Lanes

START, END = QPointF(0, 100), QPointF(400, 110)
BODY = QRectF(100, 20, 160, 160)


def test_a_free_wire_needs_no_lane() -> None:
    assert Lanes([QRectF(100, 200, 160, 56)]).find(START, END) is None


def test_a_wire_passes_below_a_box_in_its_way() -> None:
    lane = Lanes([BODY]).find(START, END, below=True)
    assert lane is not None
    assert lane.y == BODY.bottom() + CLEAR
    assert (lane.left, lane.right) == (BODY.left(), BODY.right())


def test_a_wire_takes_the_nearer_side_when_its_socket_does_not_say() -> None:
    low = QRectF(100, 90, 160, 300)
    lane = Lanes([low]).find(START, END)
    assert lane is not None
    assert lane.y == low.top() - CLEAR


def test_a_lane_does_not_run_through_a_second_box_below_the_first() -> None:
    second = QRectF(150, 190, 60, 56)
    lane = Lanes([BODY, second]).find(START, END, below=True)
    assert lane is not None
    assert lane.y == second.bottom() + CLEAR


def test_two_wires_over_the_same_box_get_lanes_of_their_own() -> None:
    lanes = Lanes([BODY])
    first = lanes.find(START, END, below=True)
    second = lanes.find(QPointF(0, 120), QPointF(400, 130), below=True)
    assert first is not None
    assert second is not None
    assert abs(first.y - second.y) >= CLEAR / 2


def test_a_wire_that_runs_backwards_keeps_its_curve() -> None:
    assert Lanes([BODY]).find(END, START) is None


def test_a_thousand_skips_find_their_lanes_quickly() -> None:
    rects = [QRectF(index * 176.0, 0, 112, 56) for index in range(1000)]
    lanes = Lanes(rects)
    begun = time.perf_counter()
    found = [lanes.find(QPointF(i * 176.0 + 112, 28), QPointF((i + 2) * 176.0, 28)) for i in range(998)]
    assert all(found)
    assert time.perf_counter() - begun < 1.0
