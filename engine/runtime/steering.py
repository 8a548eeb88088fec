"""How weights follow their gradients: optimizer, learning rate schedule and clipping of one training.

Owns the update after backward, and changes of these settings while training runs. Rates are base rate times the
schedule's factor, written into the optimizer only when they change (`rates.py`). Never computes a loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.optim import LBFGS, Optimizer

from engine.course import Course
from engine.declare import find
from engine.events import Alerted, Edited
from engine.recipe import Recipe
from engine.runtime.clipping import Clipped, Clipping
from engine.runtime.clipping_ways import Layout
from engine.runtime.control import Edit
from engine.runtime.penalty import MaxNorm, Penalty
from engine.runtime.precision import Scaling
from engine.runtime.rates import Rates

RUNNING_EDITS = "recipe.optimizer.lr, .momentum, .weight_decay and recipe.clip"


class Steering:
    """One optimizer with its clipping, and the schedule that `follow` gives it."""

    def __init__(
        self, recipe: Recipe, optimizer: Optimizer, *,
        parameters: Sequence[nn.Parameter] = (), layout: Layout | None = None,
        scaling: Scaling | None = None, penalty: Penalty | None = None, bounds: MaxNorm | None = None,
    ) -> None:  # fmt: skip
        self._recipe = recipe
        self._optimizer = optimizer
        self._course: Course | None = None
        self._rates = Rates(optimizer, rescale=bool(recipe.get("momentum_rescale")))
        self._parameters = tuple(parameters) or tuple(
            parameter for group in optimizer.param_groups for parameter in group["params"]
        )
        self._layout = layout
        self._scaling = scaling
        self.penalty = penalty
        """What weights cost beside the loss; None where they cost nothing."""
        self._bounds = bounds
        self._clipping = self._made_clipping()
        self._base = [float(group["lr"]) for group in optimizer.param_groups]
        self._last_factor = 1.0
        self.edits: dict[str, Any] = {}
        """Settings that were changed while training, by path."""
        self._tell_rates()
        self.update = self._chosen_update()
        """Clips where the recipe says so, and moves the weights."""

    def follow(self, course: Course | None) -> None:
        """Sets the schedule; None keeps the rate as it is."""
        self._course = course

    def prepare(self, step: int) -> None:
        """Sets the rate for a step, and the momentum where the schedule moves it."""
        course = self._course
        if course is None:
            return
        if (factor := course.factor(step)) != self._last_factor:
            self._last_factor = factor
            self._write_rates()
        if course.moves_momentum:
            self._rates.set_momentum(course.momentum(step))

    def observe(self, figures: Mapping[str, Any], *, step: int) -> str:
        """Tells the schedule what the epoch brought that ended with a step; what it does about it, or ""."""
        return self._course.observe(step, figures) if self._course is not None else ""

    def wants_look(self, step: int) -> bool:
        """Whether the schedule wants the validation set looked at before a step."""
        return self._course is not None and self._course.wants_look(step)

    def look(self, figures: Mapping[str, Any], *, step: int) -> str:
        """Gives the schedule figures measured before a step; what it does about them, or ""."""
        return self._course.look(step, figures) if self._course is not None else ""

    def backward(self, loss: Tensor) -> None:
        """Adds the gradients of a loss."""
        if self._scaling is not None:
            loss = self._scaling.scaled(loss)
        loss.backward()  # type: ignore[no-untyped-call]

    def gathered(self) -> None:
        """Says that all gradients of a step are there, so that they may be read, clipped and used."""
        if self._scaling is not None:
            self._scaling.unscale(self._optimizer)
        if self.penalty is not None:
            self.penalty.add_gradients()

    @property
    def wants_closure(self) -> bool:
        """True for an optimizer that evaluates its batch again within a step."""
        return isinstance(self._optimizer, LBFGS)

    def update_along(self, loss: Tensor, again: Callable[[], Tensor]) -> None:
        """Moves the weights with an optimizer that asks for loss and gradients `again`; the first are there already."""
        known = [loss]

        def closure() -> float:
            value = float(known.pop() if known else again())
            return value + (self.penalty.value() if self.penalty is not None else 0.0)

        self._optimizer.step(closure)
        if self._bounds is not None:
            self._bounds.apply()

    @property
    def momentum(self) -> float | None:
        """Momentum of now where the schedule moves it, else None."""
        moves = self._course is not None and self._course.moves_momentum
        return self._rates.momentum if moves else None

    def overflows(self) -> str:
        """What to tell about updates that were left out since the last call because of 16 bits; "" for none."""
        left_out = self._scaling.take() if self._scaling is not None else 0
        if self._scaling is None or not left_out:
            return ""
        steps = f"{left_out:,} update{'s were' if left_out > 1 else ' was'} left out"
        return f"fp16: {steps} because gradients overflowed; losses are now scaled by {self._scaling.scale:g}"

    def clipped(self) -> Clipped:
        """How often and how hard gradients were cut since the last call; no steps where the recipe does not clip."""
        return self._clipping.take() if self._clipping else _NOT_CLIPPED

    def edit(self, wish: Edit, *, step: int, epoch: int) -> Edited | Alerted:
        """Applies a change at a step border; refused changes say why and change nothing."""
        try:
            old, new = self._changed(wish)
        except ValueError as fault:
            return Alerted(step, epoch, f"{wish.path} was not changed: {fault}")
        self.edits[wish.path] = new
        short = wish.path.removeprefix("recipe.").removeprefix("optimizer.")
        return Edited(step, epoch, wish.path, old, new, f"{short} {_words(old)} → {_words(new)}")

    def state(self) -> dict[str, Any]:
        """Optimizer state, rates and edits, as tensors and plain values."""
        return {
            "optimizer": self._optimizer.state_dict(), "base": list(self._base), "factor": self._last_factor,
            "edits": dict(self.edits),
            **({"course": self._course.state()} if self._course is not None else {}),
            **({"scaling": self._scaling.state()} if self._scaling is not None else {}),
            **({"penalty": self.penalty.state()} if self.penalty is not None else {}),
        }  # fmt: skip

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from `state`: edits first, because they decide how updates are made."""
        for path, value in state["edits"].items():
            self._changed(Edit(path, value=value))
            self.edits[path] = value
        self._optimizer.load_state_dict(state["optimizer"])
        self._base = [float(rate) for rate in state["base"]]
        self._last_factor = float(state["factor"])
        if self._course is not None and state.get("course"):
            self._course.load(state["course"])
        if self._scaling is not None and "scaling" in state:
            self._scaling.load(state["scaling"])
        if self.penalty is not None and "penalty" in state:
            self.penalty.load(state["penalty"])
        self._write_rates()

    def _made_clipping(self) -> Clipping | None:
        made = Clipping.of(self._recipe, self._layout)
        if made is not None:
            made.leave_out_infinite = self._scaling is not None
        return made

    def _chosen_update(self) -> Callable[[], Any]:
        plain = self._clipping is None and self._scaling is None and self._bounds is None
        return self._optimizer.step if plain else self._update

    def _update(self) -> None:
        if self._clipping is not None:
            self._clipping.clip(self._parameters)
        if self._scaling is not None:
            self._scaling.step(self._optimizer)
        else:
            self._optimizer.step()
        if self._bounds is not None:
            self._bounds.apply()

    def _write_rates(self) -> None:
        self._rates.set([base * self._last_factor for base in self._base])
        self._tell_rates()

    def _tell_rates(self) -> None:
        rates = tuple(float(group["lr"]) for group in self._optimizer.param_groups)
        self.lr = rates[0]
        """The first group's rate, as it acts now."""
        self.lrs = rates if len(set(rates)) > 1 else ()
        """Every group's rate when they differ."""

    def _changed(self, wish: Edit) -> tuple[Any, Any]:
        """Applies a wish; (old, new) value. ValueError says what is allowed."""
        path = wish.path.removeprefix("recipe.")
        setting, _, name = path.partition(".")
        if setting not in ("optimizer", "clip") or (setting == "optimizer" and not name):
            raise ValueError(f"while training only {RUNNING_EDITS} can be changed")
        tagged = dict(self._recipe.get(setting))
        if not name:
            old, new = dict(tagged), wish.value
            recipe = self._recipe.with_value(setting, new)
            new = dict(recipe.get(setting))
        else:
            old, new = self._value(setting, tagged, name, wish)
            recipe = self._recipe.with_value(setting, {**tagged, name: new})
        recipe.made(setting)
        if setting == "optimizer":
            self._change_optimizer(name, old, new)
        self._recipe = recipe
        if setting == "clip":
            self._clipping = self._made_clipping()
            self.update = self._chosen_update()
        return old, new

    def _value(self, setting: str, tagged: Mapping[str, Any], name: str, wish: Edit) -> tuple[Any, Any]:
        declaration = find(setting, str(tagged.get("type")))
        if declaration is None or name not in declaration.by_name:
            raise ValueError(
                f"there is no such setting; there are {', '.join(declaration.defaults if declaration else ())}"
            )
        param = declaration.by_name[name]
        old = tagged.get(param.name, param.default)
        return old, param.clean(old * wish.factor if wish.factor is not None else wish.value)

    def _change_optimizer(self, name: str, old: Any, new: Any) -> None:
        groups = self._optimizer.param_groups
        if name == "lr":
            # Groups keep their proportions; the schedule goes on from the new rate.
            ratio = new / old if old else 1.0
            self._base = [new if old in (0, base) else base * ratio for base in self._base]
            self._write_rates()
        elif name == "momentum" and self._course is not None and self._course.moves_momentum:
            raise ValueError("the schedule moves it")
        elif name in ("momentum", "weight_decay") and all(name in group for group in groups):
            for group in groups:
                # Groups with a decay of their own, and those that decay leaves alone, keep it.
                if name == "momentum" or group[name] == old:
                    group[name] = new
        else:
            raise ValueError(f"while training only {RUNNING_EDITS} can be changed")


_NOT_CLIPPED = Clipped()


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(str(item) for item in value.values())
    return f"{value:g}" if isinstance(value, float) else str(value)
