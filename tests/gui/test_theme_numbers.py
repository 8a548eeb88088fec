"""How numbers are written."""

from __future__ import annotations

import math

import pytest

from gui.numbers import bytes_text, count, duration, number, percent, power_of_ten, scientific, shape_text, signed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.272, "0.272"), (5.31, "5.31"), (38538, "38,538"), (0.00082, "8.2e-4"), (1.2e7, "1.2e7"), (-3, "−3"),
        (-0.0005, "−5.0e-4"), (999.96, "1,000"), (0.00099996, "0.00100"), (0, "0"), (math.nan, "not a number"),
        (-math.inf, "−infinite"), (999_999.6, "1.0e6"),
    ],
)  # fmt: skip
def test_a_number_has_three_figures_that_matter(value: float, text: str) -> None:
    assert number(value) == text


def test_counts_times_sizes_and_shares_read_as_people_write_them() -> None:
    def spaced(text: str) -> str:
        return text.replace("\N{NO-BREAK SPACE}", " ")

    assert [spaced(count(one)) for one in (38_538, 38.6e6, 1.2e9)] == ["38,538", "38.6 M", "1.2 G"]
    times = [126, 41, 0.42, 11_105, 172_800, 0, 59.7, 3600]
    words = ["2 min 6 s", "41 s", "0.4 s", "3 h 5 min", "2 d", "0 s", "1 min", "1 h"]
    assert [spaced(duration(one)) for one in times] == words
    assert [spaced(bytes_text(one)) for one in (30e6, 5.4e9, 0, 999)] == ["30 MB", "5.4 GB", "0 B", "999 B"]
    assert (spaced(percent(0.932)), spaced(percent(0.95))) == ("93.2 %", "95 %")
    assert (scientific(0.0041), signed(2), signed(-2), shape_text((3, 32, 32))) == ("4.1e-3", "+2", "−2", "3×32×32")


@pytest.mark.parametrize(
    ("value", "text"), [(0.41, "4.1e-1"), (2.03, "2.0"), (15.2, "15"), (148.0, "150"), (1520, "1.5e3"), (-2, "−2.0")]
)
def test_a_norm_from_1_to_1000_is_written_plainly(value: float, text: str) -> None:
    assert scientific(value) == text


def test_the_first_decades_above_1_are_written_out_on_a_scale() -> None:
    assert [power_of_ten(exponent) for exponent in (-1, 0, 1, 2, 3)] == ["1e-1", "1", "10", "100", "1e3"]
