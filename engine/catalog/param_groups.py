"""Groups of layers that train at a rate, or with a weight decay, of their own."""

from __future__ import annotations

from engine.declare import param_group
from engine.param import param


@param_group("group", title="Group of layers", search=("parameter group", "discriminative", "layer-wise", "lr"))
class Group:
    """The layers whose path fits a pattern get the learning rate times a factor, and a weight decay of their own. The
    schedule moves all groups together. Use a small factor for layers that were trained before.
    """

    layers: str = param(
        default="*",
        help="Which layers: a path as the code has it, such as hidden.0.linear, with * for anything; a block counts "
        "with all that is in it",
    )  # fmt: skip
    lr_factor: float = param(
        default=1.0, min=0.0, max=1000.0, log=True, label="Rate factor", help="Times the learning rate; 0 holds still"
    )
    weight_decay: float | None = param(
        default=None, min=0.0, max=10.0, log=True, help="In place of the optimiser's own; none: as the optimiser says"
    )

    def detail(self) -> str:
        return f"{self.layers} ×{self.lr_factor:g}"
