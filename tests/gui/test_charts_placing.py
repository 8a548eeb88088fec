"""Thinning, ticks, brackets and places: the calculations below the charts."""

from __future__ import annotations

import numpy as np
import pytest

from gui.charts.brackets import labels
from gui.charts.depthfoot import shortened
from gui.charts.placing import Row, spread
from gui.charts.thin import moving_mean, thin, thin_smooth
from gui.charts.ticks import GrowingRange, linear_ticks, log_ticks, plain, round_up


def test_thinning_leaves_two_points_per_column_and_every_spike():
    x = np.linspace(0, 300, 20_000, endpoint=False)
    y = np.sin(x)
    y[12_345] = 50.0
    thin_x, thin_y = thin(x, y)
    assert len(thin_x) == 600
    assert thin_y.max() == 50.0
    assert np.floor(thin_x[thin_y.argmax()]) == np.floor(x[12_345])


def test_a_rising_line_stays_rising_when_thinned():
    x = np.linspace(0, 100, 5000)
    assert np.all(np.diff(thin(x, x * 2)[1]) >= 0)
    assert np.all(np.diff(thin(x, -x)[1]) <= 0)


def test_a_smooth_curve_keeps_its_ends():
    x = np.linspace(0, 100, 5000)
    thin_x, thin_y = thin_smooth(x, x**2)
    assert (thin_x[0], thin_x[-1], thin_y[-1]) == (0, 100, 10_000)
    assert len(thin_x) < 60


def test_a_moving_mean_starts_at_the_first_value_and_smooths():
    values = np.array([5.0, *np.tile([1.0, 3.0], 500)])
    smooth = moving_mean(values, 0.1)
    assert smooth[0] == 5.0
    assert smooth[500:900] == pytest.approx(np.full(400, 2.0), abs=0.05)
    assert moving_mean(values, 0.0) is values


@pytest.mark.parametrize(
    ("low", "high", "pixels", "expected"),
    [
        (-5.0, 0.0, 150.0, ["1e-5", "1e-4", "1e-3", "1e-2", "1e-1", "1"]),
        (-2.0, 0.1, 100.0, ["1e-2", "1e-1", "1"]),
        (-20.0, 0.0, 100.0, ["1e-20", "1e-15", "1e-10", "1e-5", "1"]),
        (float(np.log10(0.4)), float(np.log10(3)), 170.0, ["0.4", "0.6", "1", "2", "3"]),
    ],
)
def test_log_ticks_are_whole_and_keep_apart(low, high, pixels, expected):
    assert [tick.label for tick in log_ticks(low, high, pixels)] == expected


def test_linear_ticks_are_round_and_whole_where_asked():
    assert [tick.label for tick in linear_ticks(0, 30, 340, 50.0)] == ["0", "5", "10", "15", "20", "25", "30"]
    assert [tick.label for tick in linear_ticks(0, 2, 800, 50.0, whole=True)] == ["0", "1", "2"]
    assert [tick.label for tick in linear_ticks(0, 0.1, 100, 40.0)] == ["0.00", "0.05", "0.10"]
    assert linear_ticks(0, 0, 100, 40.0) == []


def test_plain_numbers_have_no_idle_zeros():
    assert [plain(value) for value in (0.4, 20, 3e-4, 60_000)] == ["0.4", "20", "3e-4", "60,000"]


def test_a_range_ends_at_whole_steps_and_only_grows():
    steady = GrowingRange()
    assert steady.include_log(0.5, 2.5) == pytest.approx((np.log10(0.4), np.log10(3)))
    assert steady.include_log(1.0, 1.1) == pytest.approx((np.log10(0.4), np.log10(3)))
    assert steady.include_log(0.05, 1.1) == pytest.approx((np.log10(0.04), np.log10(3)))
    steady.reset()
    assert steady.include_linear(0.42, 0.87) == pytest.approx((0.4, 0.9))
    assert steady.include_linear(np.nan, np.nan) == pytest.approx((0.4, 0.9))


def test_one_value_still_makes_a_range():
    low, high = GrowingRange(least_decades=1.0).include_log(1e-3, 1e-3)
    assert low < -3 < high
    low, high = GrowingRange().include_linear(5.0, 5.0)
    assert low <= 5.0 <= high
    assert low < high


def test_time_grows_in_whole_steps():
    assert [round_up(value) for value in (0, 17.2, 201, 1010)] == [1.0, 20.0, 250.0, 1500.0]


def test_names_are_spread_without_changing_their_order():
    places = spread([50, 52, 10], 17, 0, 100)
    assert places[1] - places[0] >= 17
    assert places[2] == 10
    crowded = spread([95, 96, 97], 17, 0, 100)
    assert max(crowded) <= 100
    assert np.diff(crowded).min() >= 17


def test_a_row_takes_each_place_once():
    row = Row()
    assert row.take(0, 10)
    assert not row.take(5, 15)
    assert row.take(10, 20)


def test_copies_and_blocks_get_brackets():
    found = labels(["conv_in", "res.0.a", "res.0.b", "res.1.a", "res.1.b", "head.linear"])
    assert found.names == ("conv_in", "a", "b", "a", "b", "linear")
    assert [(b.first, b.last, b.words[0]) for b in found.brackets] == [
        (1, 2, "res, copy 1"), (3, 4, "res, copy 2"), (5, 5, "head"),
    ]  # fmt: skip


def test_twenty_copies_of_one_layer_share_a_bracket():
    found = labels([*(f"hidden.{copy}.linear" for copy in range(20)), "out"])
    assert found.names[:2] == ("1", "2")
    assert found.names[-1] == "out"
    assert [(b.first, b.last, b.words[0]) for b in found.brackets] == [(0, 19, "hidden · linear, copies 1–20")]
    assert found.numbered


def test_shortened_names_keep_their_numbers(qapp):
    from gui.charts import text

    room = text.width("con12") + 0.5
    assert shortened("conv12", room) == "con12"
    assert shortened("conv_in", text.width("conv_i")) == "conv"
    assert shortened("conv_in", text.width("conv_in")) == "conv_in"
    assert shortened("linear", 3.0) == ""
