"""A phase of a training: what differs from the recipe while it lasts."""

from __future__ import annotations

from engine.declare import phase
from engine.param import Tagged, param


@phase("phase", title="Phase", search=("freeze", "unfreeze", "fine-tune", "stage"))
class Phase:
    """A stretch of epochs with layers frozen, a rate and an optimizer of its own. Each begins with a new optimizer over
    what trains then, as compiling anew does. Lower the rate when you unfreeze, so that what was learned is not
    destroyed.
    """

    name: str = param(default="", help="What charts and reports call it")
    epochs: int = param(default=5, min=1, max=100_000, help="How long it takes at most")
    frozen: str | None = param(
        default=None, help="Layers that do not train, as in recipe.frozen; empty: all train; none: as the phase before"
    )
    lr_factor: float = param(
        default=1.0,
        min=1e-6,
        max=1e6,
        log=True,
        label="Rate factor",
        help="Times the learning rate of the phase before",
    )
    patience: int | None = param(
        default=None, min=1, max=100_000, unit="epochs",
        help="End it early after so many epochs in which early stopping's figure did not improve; none: never",
    )  # fmt: skip
    optimizer: Tagged | None = param(
        default=None, of="optimizer", help="Another optimizer, with its own rate; none: as the phase before"
    )
    schedule: Tagged | None = param(
        default=None, of="schedule", help="How the rate changes within it; none: as the recipe says, over this phase"
    )

    def detail(self) -> str:
        trains = "" if self.frozen is None else "all train" if not self.frozen else f"{self.frozen} frozen"
        rate = "" if self.lr_factor == 1.0 else f"rate ×{self.lr_factor:g}"
        return ", ".join(part for part in (f"{self.epochs} epochs", trains, rate) if part)
