"""What layers inherit from the project unless they say otherwise. Declared like every other set of settings."""

from __future__ import annotations

from engine.declare import Declaration, find, record
from engine.param import Tagged, param


@record("defaults", title="Project defaults")
class Defaults:
    """Choices that hold for every layer that makes none of its own."""

    initializer: Tagged | None = param(
        default=None, of="initializer", help="How weights are drawn. None: torch's own way for each layer."
    )
    bias_initializer: Tagged | None = param(
        default=None, of="initializer", help="How biases are drawn. None: as the initial weights say, mostly zeros."
    )
    activation: Tagged | None = param(
        default=None, of="activation",
        help="What dense and convolution layers send their results through; the last ones inherit none. None: nothing.",
    )  # fmt: skip
    normalization: Tagged | None = param(
        default=None, of="normalization", label="Normalisation",
        help="How dense and convolution layers normalise their results; the last ones inherit none. None: not at all.",
    )  # fmt: skip
    norm_place: str | None = param(
        default=None, choices=("before", "after"), label="Norm place",
        help="Whether normalisations stand before the activation or after it. None: before.",
    )  # fmt: skip
    regularizer: Tagged | None = param(
        default=None, of="regularizer", help="What weights cost beside the loss. None: nothing."
    )
    max_norm: float | None = param(
        default=None, min=0.0, max=1e6, label="Max-norm",
        help="How long the weights that enter one unit may get together. None: any length.",
    )  # fmt: skip


def _settings() -> Declaration:
    found = find("record", "defaults")
    if found is None:
        raise LookupError("the project defaults are not declared")
    return found


DEFAULTS = _settings()
