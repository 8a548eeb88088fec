"""Times taken in turns, and ratios within a round: a busy machine then slows all contestants alike."""

from __future__ import annotations

import time
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


def middle_of(once: Callable[[], object], count: int) -> float:
    """Seconds of one call: the median of many, so that those in which somebody else got the processor do not count."""
    found = []
    for _ in range(count):
        begun = time.perf_counter()
        once()
        found.append(time.perf_counter() - begun)
    return median(found)


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


def beside(
    contestants: Mapping[str, Callable[[], float]], yardsticks: Mapping[str, Callable[[], float]]
) -> dict[str, Callable[[], float]]:
    """Each contestant with the yardstick of its kind right before it, for a busy machine drifts within a round too.

    The kind is the first word of a name; the yardstick's name is "beside" and the contestant's.
    """
    found: dict[str, Callable[[], float]] = {}
    for name, contestant in contestants.items():
        if (yardstick := yardsticks.get(name.split()[0])) is not None:
            found[f"beside {name}"] = yardstick
        found[name] = contestant
    return found


def ratio(times: Times, one: str, other: str) -> Ratio:
    """The times of one over those of the other, round by round."""
    found = sorted(mine / theirs for mine, theirs in zip(times[one], times[other], strict=True))
    quarter = len(found) // 4
    return Ratio(median(found), found[quarter], found[-1 - quarter])


def extra(times: Times, one: str, other: str) -> float:
    """How many seconds one takes longer than the other: the median of the differences within the rounds."""
    return median(mine - theirs for mine, theirs in zip(times[one], times[other], strict=True))
