"""Settings that layers get beside their own, and inherit from the blocks around them and from the project.

`WEIGHTS` is for layers whose weights an initializer may fill, `AFTER` for those that can be activated: dense layers
and convolutions. None means inherited everywhere, and each choice has a `none` that switches it off. `KERNELS` is for
dense layers and convolutions too, but is inherited from nobody.
"""

from __future__ import annotations

from engine.param import Param

WEIGHTS: tuple[Param, ...] = (
    Param(
        name="initializer",
        kind="tagged",
        of="initializer",
        default=None,
        optional=True,
        label="Initial weights",
        help="How the weights are drawn before training. None: as the project's default says.",
    ),
    Param(
        name="bias_initializer",
        kind="tagged",
        of="initializer",
        default=None,
        optional=True,
        label="Initial biases",
        help="How the biases are drawn before training. None: as the project's default says, else as the initial "
        "weights say, which is mostly zeros.",
    ),
    Param(
        name="regularizer",
        kind="tagged",
        of="regularizer",
        default=None,
        optional=True,
        help="What the weights cost beside the loss; biases cost nothing. None: as the block or the project says.",
    ),
    Param(
        name="max_norm",
        kind="float",
        default=None,
        optional=True,
        min=0.0,
        max=1e6,
        label="Max-norm",
        help="How long the weights that enter one unit may get together; after each step longer ones are shrunk. "
        "0: any length. None: as the block or the project says.",
    ),
)

AFTER: tuple[Param, ...] = (
    Param(
        name="activation",
        kind="tagged",
        of="activation",
        default=None,
        optional=True,
        help="What the result goes through, the same as an activation layer behind this one. None: as the block or "
        "the project says.",
    ),
    Param(
        name="normalization",
        kind="tagged",
        of="normalization",
        default=None,
        optional=True,
        label="Normalisation",
        help="How the result is normalised, the same as a normalisation layer behind this one. None: as the block or "
        "the project says.",
    ),
    Param(
        name="norm_place",
        kind="choice",
        default=None,
        optional=True,
        choices=("before", "after"),
        label="Norm place",
        help="Whether the normalisation stands before the activation or after it. None: as the block or the project "
        "says, else before.",
    ),
)

KERNELS: tuple[Param, ...] = (
    Param(
        name="reparametrize",
        kind="tagged",
        of="reparametrization",
        default={"type": "none"},
        label="Reparametrise",
        help="What is trained in place of the weights themselves: length and direction apart (weight norm), or weights "
        "that are divided by their largest singular value (spectral norm). Exports can have it baked in.",
    ),
)

INHERITED = frozenset(param.name for param in (*WEIGHTS, *AFTER))
