"""Wires pass round the boxes that lie between their ends."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF

from gui.canvas.lanes import CLEAR, Lanes
from tests.work import steps

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


def test_the_work_of_finding_lanes_grows_with_the_skips_and_not_with_their_square() -> None:
    def work(count: int) -> int:
        lanes = Lanes([QRectF(index * 176.0, 0, 112, 56) for index in range(count)])
        found: list[object] = []

        def find() -> None:
            found.extend(
                lanes.find(QPointF(i * 176.0 + 112, 28), QPointF((i + 2) * 176.0, 28)) for i in range(count - 2)
            )

        spent = steps(find)
        assert all(found)
        return spent

    few, many = work(100), work(400)
    assert few > 1_000
    assert many < 5 * few
