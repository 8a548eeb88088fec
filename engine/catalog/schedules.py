"""Schedules that only look at the time: what the learning rate is multiplied by at each step.

Plain arithmetic, evaluated before the step. Those that come back up stand in `schedules_cycles.py`, those that listen
to figures or are made of others in `schedules_made.py`.
"""

from __future__ import annotations

from itertools import pairwise
from math import cos, floor, pi, sqrt

from engine.declare import Refusal, schedule
from engine.param import Floats, param
from engine.progress import Progress
from engine.schedule import Clocked, Measured, Schedule

_STAIRCASE = param(
    default=False, help="Let the rate stay for a whole such length and then jump, instead of falling all the time"
)
_LENGTH = param(
    default=None, min=1e-6, max=1e9, help="When the end is reached; none: with the last step of the training"
)
_LEAST = param(default=0.0, min=0.0, max=1.0, was=("min_factor", "alpha"), help="Factor that is reached at the end")


@schedule("constant", title="Constant", search=("none", "fixed"))
class Constant(Schedule):
    """The learning rate stays as it is. Start with this; when the loss no longer falls, a schedule that lowers the
    rate usually gains a little more.
    """

    def factor(self, progress: Progress) -> float:
        return 1.0


@schedule("step", title="Step", was=("StepLR",), search=("StepLR", "piecewise", "decay"))
class Step(Schedule):
    """Multiplies the learning rate by a factor every few epochs. Simple and strong when you know when learning slows
    down; the change comes with the first step of an epoch.
    """

    every: int = param(
        default=10, min=1, max=100_000, unit="epochs", was=("step_size",), help="How many epochs between two changes"
    )
    by: float = param(
        default=0.1, min=0.0, max=10.0, label="Factor", was=("gamma",), help="What the rate is multiplied by each time"
    )

    def factor(self, progress: Progress) -> float:
        # A factor above 1 over many epochs may leave the numbers that there are.
        return _bounded(self.by, progress.epoch // self.every)

    def detail(self) -> str:
        return f"×{self.by:g} every {self.every}"


@schedule("power", title="Power", was=("InverseTimeDecay",), search=("inverse time decay", "InverseTimeDecay", "decay"))
class Power(Measured):
    """Lowers the rate to 1/(1 + t/s)^c of what it was: for c = 1 to a half after s, a third after 2s, a quarter after
    3s. Falls fast at first and ever more slowly.
    """

    s: float = param(
        default=10.0, min=1e-6, max=1e9, label="Half after", was=("decay_steps",),
        help="After how long the rate is halved (for power 1), s",
    )  # fmt: skip
    power: float = param(default=1.0, min=0.0, max=10.0, was=("c",), help="How steeply it falls, c")
    staircase: bool = _STAIRCASE

    def factor(self, progress: Progress) -> float:
        spans = self.counted(self.done(progress), progress) / self.s
        return float((1.0 + (floor(spans) if self.staircase else spans)) ** -self.power)

    def detail(self) -> str:
        return f"half after {self.s:g} {self.unit}"


@schedule(
    "exponential", title="Exponential", was=("ExponentialLR", "ExponentialDecay"), search=("ExponentialLR", "decay")
)
class Exponential(Measured):
    """Multiplies the rate by a factor over each length, evenly: by^(t/s), such as a tenth every 20 epochs. Keeps
    falling at the same pace, where power slows down; easy to tune.
    """

    by: float = param(
        default=0.1, min=1e-12, max=10.0, label="Factor", was=("gamma", "decay_rate"),
        help="What the rate is multiplied by over each length",
    )  # fmt: skip
    every: float = param(
        default=20.0, min=1e-6, max=1e9, was=("s", "decay_steps"), help="How long that takes, s"
    )  # fmt: skip
    staircase: bool = _STAIRCASE

    def factor(self, progress: Progress) -> float:
        spans = self.counted(self.done(progress), progress) / self.every
        return _bounded(self.by, floor(spans) if self.staircase else spans)

    def detail(self) -> str:
        return f"×{self.by:g} every {self.every:g} {self.unit}"


@schedule(
    "piecewise", title="Piecewise constant", was=("MultiStepLR", "PiecewiseConstantDecay"),
    search=("MultiStepLR", "PiecewiseConstantDecay", "milestones", "boundaries"),
)  # fmt: skip
class Piecewise(Measured):
    """One factor until the first boundary, the next from there on, and so on: 1 for 5 epochs, a half to epoch 15,
    then a tenth. A boundary is the first step of the next piece (in Keras's object its last step of the piece before).
    """

    boundaries: Floats = param(
        default=(5.0, 15.0), min=0.0, max=1e9, was=("milestones",), help="Where the next factor begins, rising"
    )
    values: Floats = param(
        default=(1.0, 0.5, 0.1), min=0.0, max=1000.0, label="Factors", help="One more than there are boundaries"
    )

    def factor(self, progress: Progress) -> float:
        place = self.counted(self.done(progress), progress)
        passed = sum(place >= boundary for boundary in self.boundaries)
        return self.values[min(passed, len(self.values) - 1)] if self.values else 1.0

    def refuse(self) -> Refusal | None:
        """One factor for each piece, and boundaries in order."""
        boundaries, values = self.boundaries, self.values
        if any(late <= early for early, late in pairwise(boundaries)):
            ordered = tuple(sorted(set(boundaries)))
            return Refusal("The boundaries do not rise", "Each boundary after the one before", "Put them in order",
                           {"boundaries": ordered, "values": _as_long(values, len(ordered) + 1)})  # fmt: skip
        if len(values) != len(boundaries) + 1:
            return Refusal(
                f"There are {len(boundaries)} boundaries and {len(values)} factors", "One factor more than boundaries",
                f"Give {len(boundaries) + 1} factors", {"values": _as_long(values, len(boundaries) + 1)},
            )  # fmt: skip
        return None


@schedule("cosine", title="Cosine", was=("CosineAnnealingLR",), search=("CosineDecay", "annealing", "warmup"))
class Cosine(Clocked):
    """Lowers the learning rate along half a cosine from full to the least factor over the whole training. A good
    choice whenever the number of epochs is fixed. An optional warm-up rises evenly from 0 first, which helps
    transformers and large batches.
    """

    warmup: float = param(
        default=0.0,
        min=0.0,
        max=10_000.0,
        unit="epochs",
        help="How long the rate rises first; parts of an epoch are allowed",
    )
    least: float = _LEAST

    def factor(self, progress: Progress) -> float:
        # At least one step is left for the descent, however long the warm-up.
        rising = min(round(self.warmup * progress.steps_per_epoch), progress.total_steps - 1)
        if self.done(progress) < rising:
            return min(1.0, self.begun(progress) / rising)
        share = min(1.0, (self.done(progress) - rising) / (progress.total_steps - rising))
        return self.least + (1.0 - self.least) * (1.0 + cos(pi * share)) / 2.0

    def detail(self) -> str:
        return f"warm-up {self.warmup:g}" if self.warmup else ""


@schedule("polynomial", title="Polynomial", was=("PolynomialLR", "PolynomialDecay"), search=("linear", "PolynomialLR"))
class Polynomial(Measured):
    """Lowers the rate from full to the least factor along (1 − t/T)^power; power 1 is a straight line. Usual for
    segmentation (0.9) and for fine-tuning of transformers (1).
    """

    power: float = param(default=1.0, min=0.01, max=10.0, help="1: a straight line; above 1 it falls fast at first")
    least: float = _LEAST
    length: float | None = _LENGTH

    def factor(self, progress: Progress) -> float:
        total = progress.total_steps if self.length is None else max(1, self.in_steps(self.length, progress))
        left = max(0.0, 1.0 - self.done(progress) / total)
        return float(self.least + (1.0 - self.least) * left**self.power)


@schedule("warmup", title="Warm-up", was=("LinearLR",), search=("LinearLR", "linear", "ramp"))
class Warmup(Measured):
    """Raises the rate evenly from a small factor to full, then leaves it. With momentum or Adam the first steps are
    the wildest. To go on with something else, put it before that into a chain.
    """

    length: float = param(default=1.0, min=0.0, max=1e9, help="How long the rate rises")
    start: float = param(
        default=0.0, min=0.0, max=1.0, was=("start_factor",),
        help="Factor that it rises from; the first step is one step above it",
    )  # fmt: skip

    def factor(self, progress: Progress) -> float:
        total = max(1, self.in_steps(self.length, progress))
        return self.start + (1.0 - self.start) * min(1.0, self.begun(progress) / total)

    def detail(self) -> str:
        return f"{self.length:g} {self.unit}"


@schedule("inverse_sqrt", title="Inverse square root", search=("noam", "transformer", "rsqrt", "warmup"))
class InverseSqrt(Measured):
    """Rises evenly to full over the warm-up w, then falls as √(w/t): half after 4w, a third after 9w. The schedule of
    the first transformers (Vaswani et al. 2017), here so that its peak is the learning rate. Knows no end, so that
    training can be as long as it likes.
    """

    warmup: float = param(default=1.0, min=0.0, max=1e9, help="How long the rate rises, w")

    def factor(self, progress: Progress) -> float:
        rising, begun = max(1, self.in_steps(self.warmup, progress)), self.begun(progress)
        return min(begun / rising, sqrt(rising / begun))

    def detail(self) -> str:
        return f"warm-up {self.warmup:g} {self.unit}"


def _bounded(base: float, exponent: float) -> float:
    try:
        return float(base**exponent)
    except OverflowError:
        return 1e300


def _as_long(values: tuple[float, ...], wanted: int) -> tuple[float, ...]:
    """The first values, or the last one tenfold smaller each time until there are enough."""
    found = list(values[:wanted]) or [1.0]
    while len(found) < wanted:
        found.append(found[-1] / 10.0)
    return tuple(found)
