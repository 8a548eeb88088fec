"""The callback that watches a figure and acts when it lies beyond a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.callback import TrainingView
from engine.runtime.callbacks.requests import BuiltIn, Notify, Save, Stop


class WatchFigure(BuiltIn):
    """Acts at the end of an epoch; once, or with `repeat` every time. A figure that is no number never acts."""

    def __init__(
        self, *, figure: str = "val_loss", when: str = "below", value: float = 0.1, then: str = "notify",
        repeat: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self._figure = figure
        self._when = when
        self._value = value
        self._then = then
        self._repeat = repeat
        self._acted = False

    def on_epoch_end(self, view: TrainingView) -> None:
        """See `Callback`."""
        figure = view.figures.get(self._figure)
        if figure is None or (self._acted and not self._repeat):
            return
        if not (figure < self._value if self._when == "below" else figure > self._value):
            return
        self._acted = True
        does = {"notify": "", "stop": "; training stops", "save": "; saved"}[self._then]
        words = f"{self._figure} {figure:.4g} is {self._when} {self._value:g} in epoch {view.epoch}{does}"
        self.ask(Notify(words, self._figure, float(figure), self._then))
        if self._then == "stop":
            self.ask(Stop())
        elif self._then == "save":
            self.ask(Save(f"alert-{view.epoch:04d}"))

    def state(self) -> dict[str, Any]:
        """See `Callback`."""
        return {"acted": self._acted}

    def load(self, state: Mapping[str, Any]) -> None:
        """See `Callback`."""
        self._acted = bool(state["acted"])
