"""Schedules that listen to an epoch's figures, and those that are made of others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import accumulate
from math import inf
from typing import Any

from engine.declare import Refusal, make, schedule
from engine.param import Floats, param
from engine.progress import Progress
from engine.schedule import Schedule


@schedule(
    "plateau", title="Plateau", was=("ReduceLROnPlateau",),
    search=("ReduceLROnPlateau", "performance scheduling", "reduce on plateau"),
)  # fmt: skip
class Plateau(Schedule):
    """Multiplies the rate by a factor when a figure has not improved for some epochs: performance scheduling. Needs no
    plan of how long training takes. Counts as Keras does: after `patience` epochs in a row without improvement
    (PyTorch waits one more), and an improvement is larger than `min_delta` itself, not in proportion. With `every` it
    looks at the validation set every so many steps, and counts these looks instead of epochs.
    """

    monitor: str = param(default="val_loss", help="The figure that must improve: val_loss, val_accuracy, ...")
    by: float = param(
        default=0.5, min=1e-6, max=0.999999, label="Factor", was=("factor",),
        help="What the rate is multiplied by each time",
    )  # fmt: skip
    patience: int = param(
        default=5, min=1, max=100_000, unit="epochs", help="Epochs (looks, with every) in a row without improvement"
    )
    min_delta: float = param(
        default=1e-4, min=0.0, max=1e9, was=("threshold",), help="An improvement is larger than this"
    )
    cooldown: int = param(
        default=0, min=0, max=100_000, unit="epochs", help="Epochs (or looks) after a change that do not count yet"
    )
    every: int | None = param(
        default=None, min=1, max=10_000_000, unit="steps", label="Look every",
        help="Look at the validation set every so many steps, which costs an evaluation each; none: at ends of epochs",
    )  # fmt: skip
    least: float = param(default=0.0, min=0.0, max=1.0, was=("min_factor",), help="The factor never falls below this")

    _factor, _best, _waited, _cooling, _looked = 1.0, inf, 0, 0, 0

    def factor(self, progress: Progress) -> float:
        return self._factor

    @property
    def watched(self) -> tuple[str, ...]:
        return (self.monitor,)

    def observe(self, progress: Progress, figures: Mapping[str, float]) -> str:
        return self._take(figures) if self.every is None else ""

    def wants_look(self, progress: Progress) -> bool:
        step = progress.step  # as many are done
        return self.every is not None and step > self._looked and step % self.every == 0

    def look(self, progress: Progress, figures: Mapping[str, float]) -> str:
        self._looked = progress.step
        return self._take(figures)

    def _take(self, figures: Mapping[str, float]) -> str:
        score = figures.get(self.monitor)
        if score is None:
            return ""
        if self._cooling > 0:
            self._cooling, self._waited = self._cooling - 1, 0
        if score < self._best - self.min_delta:
            self._best, self._waited = score, 0
        elif self._cooling == 0:
            self._waited += 1
            if self._waited >= self.patience and self._factor > self.least:
                return self._lower()
        return ""

    def _lower(self) -> str:
        before, waited = self._factor, self._waited
        self._factor = max(before * self.by, self.least)
        self._cooling, self._waited = self.cooldown, 0
        if self.every is None:
            spans = f"{waited} epochs" if waited > 1 else "an epoch"
        else:
            spans = f"{waited} look{'s' if waited > 1 else ''} (one every {self.every:,} steps)"
        return f"{self.monitor} without improvement for {spans}: rate ×{self._factor / before:.3g}"

    def state(self) -> dict[str, Any]:
        return {
            "factor": self._factor, "best": self._best, "waited": self._waited, "cooling": self._cooling,
            "looked": self._looked,
        }  # fmt: skip

    def load(self, state: Mapping[str, Any]) -> None:
        self._factor, self._best = float(state["factor"]), float(state["best"])
        self._waited, self._cooling = int(state["waited"]), int(state["cooling"])
        self._looked = int(state.get("looked", 0))  # checkpoints of before know none

    def detail(self) -> str:
        return f"×{self.by:g} after {self.patience}"


@schedule("chain", title="Chain", was=("SequentialLR",), search=("SequentialLR", "warmup", "sequence", "compose"))
class Chain(Schedule):
    """Several schedules one after the other, such as a warm-up and then a cosine. Each part begins its own count
    anew and knows only its own length; the last part takes what is left.
    """

    parts: Any = param(default=(), kind="list", of="schedule", help="The schedules, in order")
    lengths: Floats = param(
        default=(), min=1e-6, max=1e6, unit="epochs",
        help="How many epochs each part takes, in order. The last part's may be left out",
    )  # fmt: skip

    def factor(self, progress: Progress) -> float:
        part, place = self._part(progress)
        return part.factor(place) if part is not None else 1.0

    @property
    def moves_momentum(self) -> bool:
        return any(part.moves_momentum for part in self.made)

    def momentum(self, progress: Progress) -> float | None:
        part, place = self._part(progress)
        return part.momentum(place) if part is not None else None

    @property
    def watched(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for part in self.made for name in part.watched))

    def observe(self, progress: Progress, figures: Mapping[str, float]) -> str:
        part, place = self._part(progress)
        return part.observe(place, figures) if part is not None else ""

    def wants_look(self, progress: Progress) -> bool:
        part, place = self._part(progress)
        return part is not None and part.wants_look(place)

    def look(self, progress: Progress, figures: Mapping[str, float]) -> str:
        part, place = self._part(progress)
        return part.look(place, figures) if part is not None else ""

    def state(self) -> dict[str, Any]:
        return {"parts": [part.state() for part in self.made]}

    def load(self, state: Mapping[str, Any]) -> None:
        for part, saved in zip(self.made, state["parts"], strict=True):
            part.load(saved)

    def refuse(self) -> Refusal | None:
        """A length for every part but the last, and no chain inside."""
        if not self.parts:
            return Refusal("There is no part in this chain", "At least one schedule", "Use a warm-up and then a cosine",
                           {"parts": ({"type": "warmup"}, {"type": "cosine"}), "lengths": (1.0,)})  # fmt: skip
        if any(part.get("type") == "chain" for part in self.parts):
            rest = tuple(part for part in self.parts if part.get("type") != "chain")
            return Refusal("A chain stands within this chain", "All parts in one chain", "Take it out",
                           {"parts": rest, "lengths": self.lengths[: max(0, len(rest) - 1)]})  # fmt: skip
        if len(self.lengths) not in (len(self.parts) - 1, len(self.parts)):
            wanted = (*self.lengths, *(1.0 for _ in self.parts))[: len(self.parts) - 1]
            return Refusal(
                f"There are {len(self.parts)} parts and {len(self.lengths)} lengths",
                "A length for every part; the last one's may be left out", f"Give {len(wanted)} lengths",
                {"lengths": wanted},
            )  # fmt: skip
        return None

    @cached_property
    def made(self) -> tuple[Schedule, ...]:
        """The parts as objects; ValueError when one is not valid."""
        return tuple(make("schedule", part) for part in self.parts)

    def starts(self, steps_per_epoch: int) -> tuple[int, ...]:
        """The step, counted from 0, with which each part begins."""
        known = (*self.lengths, *(0.0 for _ in self.parts))[: max(0, len(self.parts) - 1)]
        return tuple(round(end * steps_per_epoch) for end in accumulate(known, initial=0.0))[: len(self.parts)]

    def _part(self, progress: Progress) -> tuple[Schedule | None, Progress]:
        """The part that acts at a step, and the step in its own count."""
        starts = self.starts(progress.steps_per_epoch)
        place = max((index for index, start in enumerate(starts) if start <= progress.step), default=-1)
        if place < 0:
            return None, progress
        last = place + 1 == len(starts)
        end = progress.total_steps if last else min(starts[place + 1], progress.total_steps)
        if last and len(self.lengths) == len(starts):
            end = min(end, starts[place] + round(self.lengths[place] * progress.steps_per_epoch))
        return self.made[place], progress.within(starts[place], end)
