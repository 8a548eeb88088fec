"""Schedules: what the learning rate is multiplied by at each step. Plain arithmetic, evaluated before the step."""

from __future__ import annotations

from math import cos, pi

from engine.declare import schedule
from engine.param import param
from engine.progress import Progress


@schedule("constant", title="Constant", search=("none", "fixed"))
class Constant:
    """The learning rate stays as it is. Start with this; when the loss no longer falls, a schedule that lowers the
    rate usually gains a little more.
    """

    def factor(self, progress: Progress) -> float:
        return 1.0


@schedule("step", title="Step", was=("StepLR",), search=("StepLR", "piecewise", "decay"))
class Step:
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
        return float(self.by ** (progress.epoch // self.every))

    def detail(self) -> str:
        return f"×{self.by:g} every {self.every}"


@schedule("cosine", title="Cosine", was=("CosineAnnealingLR",), search=("CosineDecay", "annealing", "warmup"))
class Cosine:
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
    least: float = param(
        default=0.0, min=0.0, max=1.0, was=("min_factor", "alpha"), help="Factor that is reached at the end"
    )

    def factor(self, progress: Progress) -> float:
        # At least one step is left for the descent, however long the warm-up.
        rising = min(round(self.warmup * progress.steps_per_epoch), progress.total_steps - 1)
        if progress.step < rising:
            return (progress.step + 1) / rising
        done = min(1.0, (progress.step - rising) / (progress.total_steps - rising))
        return self.least + (1.0 - self.least) * (1.0 + cos(pi * done)) / 2.0

    def detail(self) -> str:
        return f"warm-up {self.warmup:g}" if self.warmup else ""
