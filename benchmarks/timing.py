"""Times taken in turns, and ratios within a round: a busy machine then slows all contestants alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

Times = Mapping[str, list[float]]
"""Per contestant one time per round, in seconds."""


@dataclass(frozen=True)
class Ratio:
    """How one contestant's times stand to another's: the median over the rounds, and the middle half of them."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.middle:6.2f}  ({self.low:.2f} to {self.high:.2f})"


def in_turns(contestants: Mapping[str, Callable[[], float]], rounds: int, warm_up: int = 1) -> dict[str, list[float]]:
    """Everybody once per round, each round begun by the next one; a contestant gives the seconds that count.

    The first rounds warm up and are not kept.
    """
    names = list(contestants)
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + warm_up):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            seconds = contestants[name]()
            if number >= warm_up:
                times[name].append(seconds)
    return times


def ratio(times: Times, one: str, other: str) -> Ratio:
    """The times of one over those of the other, round by round."""
    found = sorted(mine / theirs for mine, theirs in zip(times[one], times[other], strict=True))
    quarter = len(found) // 4
    return Ratio(median(found), found[quarter], found[-1 - quarter])


def extra(times: Times, one: str, other: str) -> float:
    """How many seconds one takes longer than the other: the median of the differences within the rounds."""
    return median(mine - theirs for mine, theirs in zip(times[one], times[other], strict=True))
