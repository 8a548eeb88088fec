"""Where samples enter the network and where answers leave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.declare import Refusal, layer
from engine.expr import name
from engine.param import Ints, Tagged, param
from engine.tensor import FLOAT, INT, TensorInfo

if TYPE_CHECKING:
    from torch import Tensor

RANKS = {"image": 3, "vector": 1, "sequence": 2, "tokens": 1}
WORDS = {
    "image": "channels×height×width",
    "vector": "one row of features",
    "sequence": "steps×features",
    "tokens": "steps of whole numbers",
}


@layer("input", title="Input", search=("data", "source", "image", "tokens", "InputLayer", "placeholder"))
class Input:
    """Where samples enter the network. Use one for each stream of the data set; its shape comes from the data
    unless you state it. Shapes never count the batch. Images are channels×height×width as in PyTorch, while Keras
    puts the channels last.
    """

    kind: str = param(
        default="image",
        choices=("image", "vector", "sequence", "tokens"),
        help="What one sample is: an image, a row of numbers, a sequence of steps×features, or a row of token ids",
    )
    shape: Ints = param(
        default=(), min=1, help="Shape of one sample without the batch, such as 1, 8, 8; empty: as the data gives"
    )
    stream: str = param(default="", help="Which input stream of the data enters here; empty: the first one")

    def forward(self) -> Tensor:
        # An input is an argument of the generated `forward`, so its expression is that argument's name.
        return name(self.stream or "x")

    def info(self, given: TensorInfo | None) -> TensorInfo | None:
        """What this input hands on, from what the data gives (None: not known); None while both are unknown."""
        if self.shape:
            return TensorInfo(self.shape, INT if self.kind == "tokens" else FLOAT)
        return given

    def mismatch(self, given: TensorInfo | None) -> Refusal | None:
        """Why the stated kind and shape do not fit what the data gives (None: not known)."""
        found = self.info(given)
        if found is None:
            return None
        if given is not None and given.shape != found.shape:
            return Refusal(
                f"The data gives {given}, but this input says {found}.", "The shape that the data gives",
                "Leave the shape empty, so that it follows the data", {"shape": ()},
            )  # fmt: skip
        if found.rank == RANKS[self.kind] and (given is None or (given.dtype == INT) == (self.kind == "tokens")):
            return None
        kinds = [kind for kind, rank in RANKS.items() if rank == found.rank and (kind == "tokens") == _is_int(given)]
        return Refusal(
            f"The samples are {found}, which is no {self.kind}.",
            f"{self.kind}: {WORDS[self.kind]}",
            f"Set the kind to {kinds[0]}" if kinds else "Choose other data or other preprocessing",
            {"kind": kinds[0]} if kinds else None,
        )

    def detail(self) -> str:
        return f"{self.kind}, {self.stream}"[:28] if self.stream else self.kind


@layer(
    "output",
    title="Output",
    search=("result", "prediction", "target", "head"),
    outputs=(),
    accepts="numbers",
)
class Output:
    """Where answers leave the network and meet the target. It hands on raw numbers (logits): softmax or sigmoid is
    applied when predicting, while the loss takes the raw numbers because that is more exact. Do not put a Softmax
    layer before it, as one would in Keras.
    """

    target: str = param(default="", help="Which target stream this answers; empty: the first one")
    loss: Tagged | None = param(
        default=None, of="loss", help="How wrong an answer is; none: the recipe's loss", advanced=True
    )
    weight: float = param(
        default=1.0, min=0.0, max=1e6, help="How much this output counts when several losses are added", advanced=True
    )
    activation: str = param(
        default="auto",
        choices=("auto", "none", "softmax", "sigmoid"),
        help="What turns raw numbers into the shown answer when predicting; auto: as the loss implies",
    )

    def forward(self, x: Tensor) -> Tensor:
        return x

    def detail(self) -> str:
        words = "" if self.activation == "auto" else self.activation
        return ", ".join(filter(None, (self.target[:16], words)))


def _is_int(given: TensorInfo | None) -> bool:
    return given is not None and given.dtype == INT
