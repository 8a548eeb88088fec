"""What a learning-rate range test (Smith 2017) found, and the rate that follows from it. Plain arithmetic, no torch.

The rate grows by the same factor with every step, the loss of each batch is written down, and a good rate lies a tenth
below the one at which the loss shoots up. `engine.runtime.range_test` does the steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

LOW, HIGH, STEPS = 1e-5, 10.0, 300
LEAST_STEPS, MOST_STEPS = 20, 100_000
MARGIN = 10.0
"""How far below the rise a good rate lies: the rule of thumb of the textbooks."""
EXPLODED = 4.0
"""The test ends when the smoothed loss is so many times its best."""
RISEN = 0.2
"""The loss shoots up where it has lost this share of all that it had gained."""
FELL = 0.05
"""A loss that fell by less than this share of its start says nothing about rates."""

END, ROSE, NOT_FINITE, CANCELLED = "end", "rose", "not_finite", "cancelled"


@dataclass(frozen=True)
class RangeTest:
    """Rates, the loss of the batch that each was used on, the smoothed loss, and what follows."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    ended: str
    """`end` of the range, the loss `rose` too far, was `not_finite`, or somebody `cancelled`."""
    proposal: float | None = None
    why: str = ""
    """One or two sentences: the reason for the proposal, or why there is none."""
    lowest: float | None = None
    """The rate at which the smoothed loss was lowest."""
    risen: float | None = None
    """The rate from which on the smoothed loss shoots up."""
    steepest: float | None = None
    """The rate at which the smoothed loss fell fastest."""

    def to_json(self) -> dict[str, Any]:
        """What was found, without the points."""
        return {
            "ended": self.ended, "steps": len(self.rates), "proposal": self.proposal, "why": self.why,
            "lowest": self.lowest, "risen": self.risen, "steepest": self.steepest,
        }  # fmt: skip


@dataclass
class Smoothing:
    """An exponential mean of losses, corrected for its start at 0 as Adam's means are."""

    steps: int
    """Steps of the whole test: the mean lags behind by a thirtieth of them."""
    _mean: float = 0.0
    _left: float = 1.0
    best: float = field(default=float("inf"))

    def add(self, loss: float) -> float:
        """The smoothed loss with one more."""
        lag = self.steps / 30
        keep = lag / (1.0 + lag)
        self._mean = keep * self._mean + (1.0 - keep) * loss
        self._left *= keep
        smooth = self._mean / (1.0 - self._left)
        self.best = min(self.best, smooth)
        return smooth


def rate_at(step: int, *, low: float, high: float, steps: int) -> float:
    """The rate of a step, counted from 0: low * (high / low)^(step / steps)."""
    return float(low * (high / low) ** (step / steps))


def judged(rates: Sequence[float], losses: Sequence[float], *, steps: int, ended: str) -> RangeTest:
    """What follows from the losses of a test that was planned to take `steps`."""
    smoothing = Smoothing(steps)
    smoothed = [smoothing.add(loss) for loss in losses if isfinite(loss)]
    rates, losses = tuple(rates[: len(smoothed)]), tuple(losses[: len(smoothed)])
    found = RangeTest(rates, losses, tuple(smoothed), ended)
    if ended == CANCELLED or len(smoothed) < LEAST_STEPS // 2:
        words = "it was stopped" if ended == CANCELLED else f"the loss broke after {len(smoothed)} steps"
        return _with(found, why=f"There is no proposal: {words}. Begin with a smaller rate." if ended != CANCELLED
                     else f"There is no proposal: {words}.")  # fmt: skip
    return _proposed(found)


def _proposed(found: RangeTest) -> RangeTest:
    import numpy as np  # here, because the window's first frame need not wait for it

    curve = np.asarray(found.smoothed)
    place = int(curve.argmin())
    start, least = float(curve[: max(1, place + 1)].max()), float(curve[place])
    if start - least < FELL * abs(start):
        return _with(found, lowest=found.rates[place], why=(
            f"There is no proposal: the loss never fell by more than {FELL:.0%}. Take a larger range or more steps, "
            "or look at the data and the network first."
        ))  # fmt: skip
    slope = np.gradient(curve, np.log(found.rates))
    steepest = found.rates[int(slope[: place + 1].argmin())]
    above = np.flatnonzero(curve[place:] > least + RISEN * (start - least))
    broke = found.ended == NOT_FINITE
    lowest = found.rates[place]
    if not len(above) and not broke:
        proposal = _rounded(found.rates[-1] / MARGIN)
        why = (f"The loss had not risen again by the largest rate, {_shown(found.rates[-1])}: {_shown(proposal)}, a "
               "tenth of that, is safe, and a larger range may show a better one.")  # fmt: skip
        return _with(found, proposal=proposal, why=why, lowest=lowest, steepest=steepest)
    risen = found.rates[place + int(above[0])] if len(above) else found.rates[-1]
    proposal = _rounded(risen / MARGIN)
    verb = "shoots up" if len(above) else "was no number any more"
    why = (f"The loss falls to {least:.3g} at a rate of {_shown(lowest)} and {verb} from {_shown(risen)} on; "
           f"{_shown(proposal)} is a tenth of that, far enough below to stay stable. "
           f"It falls fastest at {_shown(steepest)}.")  # fmt: skip
    return _with(found, proposal=proposal, why=why, lowest=lowest, risen=risen, steepest=steepest)


def _with(found: RangeTest, **more: Any) -> RangeTest:
    return RangeTest(found.rates, found.losses, found.smoothed, found.ended, **more)


def _rounded(rate: float) -> float:
    """Two digits: a range test is no more exact than that."""
    return float(f"{rate:.2g}")


def _shown(rate: float) -> str:
    return f"{rate:.2g}"
