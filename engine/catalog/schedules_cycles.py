"""Schedules that rise again: one cycle over the training, cycles without end, cosine with restarts."""

from __future__ import annotations

from math import cos, floor, pi

from engine.declare import Refusal, schedule
from engine.param import param
from engine.progress import Progress
from engine.schedule import EPOCHS, Measured, Schedule


@schedule("one_cycle", title="1cycle", was=("OneCycleLR",), search=("OneCycleLR", "super-convergence", "one cycle"))
class OneCycle(Schedule):
    """Raises the rate from a tenth to its peak over the first half of the training, lowers it back over the second
    half, and drops it far below in the last steps (Smith 2018). Often as good in far fewer epochs. Take the rate of a
    range test as the learning rate: it is the peak. The momentum may go the other way, high to low to high.
    """

    legs: str = param(default="linear", choices=("linear", "cosine"), help="The form of the ways up and down")
    start: float = param(default=0.1, min=1e-9, max=1.0, help="Factor of the first step")
    peak: float = param(default=1.0, min=1e-9, max=100.0, help="Factor in the middle")
    final: float = param(
        default=1e-4, min=0.0, max=1.0, log=True, help="Factor that the last steps lead to; usually start / 1000"
    )
    tail: float = param(
        default=0.1, min=0.0, max=0.9, help="Share of the steps after the cycle, in which the rate drops to final"
    )
    cycle_momentum: bool = param(
        default=False,
        label="Move momentum",
        help="Move the momentum (for Adam and its kin β₁) against the rate: high, low, high",
    )
    high: float = param(
        default=0.95, min=0.0, max=0.99999, label="High momentum", shown_if=("cycle_momentum", (True,)),
        help="Momentum at the start, after the cycle and in the last steps",
    )  # fmt: skip
    low: float = param(
        default=0.85, min=0.0, max=0.99999, label="Low momentum", shown_if=("cycle_momentum", (True,)),
        help="Momentum where the rate is highest",
    )  # fmt: skip

    @property
    def moves_momentum(self) -> bool:
        return self.cycle_momentum

    def factor(self, progress: Progress) -> float:
        return self._along(progress, self.start, self.peak, self.final)

    def momentum(self, progress: Progress) -> float | None:
        return self._along(progress, self.high, self.low, self.high) if self.cycle_momentum else None

    def refuse(self) -> Refusal | None:
        """A cycle goes up and the momentum down."""
        if self.peak < self.start:
            return Refusal(f"The peak {self.peak:g} is below the start {self.start:g}", "A peak above the start",
                           f"Use a peak of {self.start * 10:g}", {"peak": min(100.0, self.start * 10)})  # fmt: skip
        if self.cycle_momentum and self.low > self.high:
            return Refusal("The low momentum is above the high one", "low below high", "Exchange them",
                           {"low": self.high, "high": self.low})  # fmt: skip
        return None

    def detail(self) -> str:
        return "with momentum" if self.cycle_momentum else ""

    def _along(self, progress: Progress, ends: float, middle: float, last: float) -> float:
        """From `ends` to `middle` and back, half the steps before the tail each; then to `last`."""
        total, step = progress.total_steps, progress.step
        # Rounded, so that a tenth of 30 steps is 3 and not a hair less.
        rest = floor(round(total * self.tail, 6)) + 1 if self.tail else 0
        half = (total - rest) // 2
        if step < half:
            return self._between(ends, middle, step / half)
        if step < 2 * half:
            return self._between(middle, ends, (step - half) / half)
        return self._between(ends, last, min(1.0, (step - 2 * half) / max(1, total - 2 * half)))

    def _between(self, start: float, end: float, share: float) -> float:
        if self.legs == "cosine":
            share = (1.0 - cos(pi * share)) / 2.0
        return start + (end - start) * share


@schedule(
    "cosine_restarts", title="Cosine with restarts", was=("CosineAnnealingWarmRestarts",),
    search=("SGDR", "warm restarts", "CosineDecayRestarts", "CosineAnnealingWarmRestarts"),
)  # fmt: skip
class CosineRestarts(Measured):
    """Lowers the rate along half a cosine, jumps back to full and begins anew, each time over a longer cycle
    (Loshchilov & Hutter 2017, SGDR). Weights at the end of a cycle are good ones; the jump lets them leave a poor
    valley.
    """

    first: float = param(default=10.0, min=1e-6, max=1e9, was=("T_0",), help="Length of the first cycle, T₀")
    times: int = param(
        default=2, min=1, max=100, was=("T_mult",), help="How much longer each cycle is than the one before"
    )
    least: float = param(default=0.0, min=0.0, max=1.0, help="Factor that each cycle falls to")

    def factor(self, progress: Progress) -> float:
        length, place = max(1, self.in_steps(self.first, progress)), self.done(progress)
        if self.times == 1:
            place %= length
        while place >= length:
            place, length = place - length, length * self.times
        return self.least + (1.0 - self.least) * (1.0 + cos(pi * place / length)) / 2.0

    def detail(self) -> str:
        return f"{self.first:g} {self.unit}, then ×{self.times}"


@schedule("cyclical", title="Cyclical", was=("CyclicLR",), search=("CyclicLR", "triangular", "CLR"))
class Cyclical(Measured):
    """Lets the rate rise and fall evenly between two bounds, again and again (Smith 2017). Less depends on the exact
    rate. triangular2 halves the distance with every cycle; exp_range shrinks it by γ with every step.
    """

    mode: str = param(default="triangular", choices=("triangular", "triangular2", "exp_range"), help="What shrinks")
    low: float = param(default=0.1, min=0.0, max=1.0, help="Factor at the bottom, where it begins")
    high: float = param(default=1.0, min=0.0, max=100.0, help="Factor at the top of the first cycle")
    half: float = param(default=2.0, min=1e-6, max=1e9, was=("step_size",), help="Length of one way, up or down")
    gamma: float = param(
        default=0.9999, min=0.0, max=1.0, shown_if=("mode", ("exp_range",)), label="γ",
        help="What the distance shrinks to with every step",
    )  # fmt: skip

    def factor(self, progress: Progress) -> float:
        # Not whole steps: a way of 2.5 steps comes back to the bottom every 5. Rounded, so that 0.1 of 30 is 3.
        half = self.half * progress.steps_per_epoch if self.unit == EPOCHS else self.half
        half, step = max(1.0, round(half, 9)), self.done(progress)
        cycle, place = divmod(step, 2 * half)
        height = 1.0 - abs(place / half - 1.0)
        scale = {"triangular": 1.0, "triangular2": 0.5**cycle, "exp_range": self.gamma**step}[self.mode]
        return self.low + (self.high - self.low) * height * scale

    def refuse(self) -> Refusal | None:
        """The top lies above the bottom."""
        if self.high >= self.low:
            return None
        return Refusal(f"The top {self.high:g} is below the bottom {self.low:g}", "high above low", "Exchange them",
                       {"high": self.low, "low": self.high})  # fmt: skip
