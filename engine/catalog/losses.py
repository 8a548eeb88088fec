"""Losses: what training makes small.

`activation` turns raw outputs into shown answers, `target` says what the data must give: a class index (int64, N),
a yes or no (float32, N×1) or real values (float32, N×size). `build` takes raw outputs (logits): softmax and sigmoid
are part of the loss, where they are computed exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.concise import concise
from engine.declare import loss
from engine.param import param

if TYPE_CHECKING:
    from torch import Tensor, nn
else:
    from engine.expr import nn

_BALANCED = param(
    default="none",
    choices=("none", "balanced"),
    help="balanced: rare classes count more, so that every class has the same say",
)


@loss("cross_entropy", title="Cross-entropy", was=("CrossEntropyLoss",), search=("classification", "softmax", "nll"))
class CrossEntropy:
    """For one class out of several: −log of the probability that the network gives the right class. The network
    must end in raw numbers, one per class; softmax is applied inside, where Keras would have it as a layer.
    """

    activation = "softmax"
    target = "class"
    label_smoothing: float = param(
        default=0.0,
        min=0.0,
        max=0.99,
        help="Share of certainty spread over all classes; 0.1 keeps it from overconfidence",
    )
    class_weights: str = _BALANCED

    def build(self, weight: Tensor | None = None) -> nn.Module:
        return concise(nn.CrossEntropyLoss, weight=weight, label_smoothing=self.label_smoothing)

    def weights(self, counts: Sequence[int]) -> tuple[float, ...] | None:
        """One weight per class from its number of training samples, n / (classes × count); None: all alike.

        Classes without samples get 0: nothing is known of them.
        """
        if self.class_weights == "none":
            return None
        present = sum(count > 0 for count in counts)
        return tuple(sum(counts) / (present * count) if count else 0.0 for count in counts)


@loss(
    "binary_cross_entropy", title="Binary cross-entropy", was=("bce", "BCEWithLogitsLoss"),
    search=("classification", "sigmoid", "logistic", "yes or no", "BinaryCrossentropy"),
)  # fmt: skip
class BinaryCrossEntropy:
    """For a yes or no: −log of the probability that the network gives the right answer. The network must end in one
    raw number; sigmoid is applied inside, where Keras would have it as a layer.
    """

    activation = "sigmoid"
    target = "binary"
    class_weights: str = _BALANCED

    def build(self, weight: Tensor | None = None) -> nn.Module:
        return concise(nn.BCEWithLogitsLoss, pos_weight=weight)

    def weights(self, counts: Sequence[int]) -> tuple[float, ...] | None:
        """The weight of a yes from the numbers of (no, yes) samples, no / yes; None: alike, or one of them absent."""
        if self.class_weights == "none" or len(counts) != 2 or 0 in counts:
            return None
        return (counts[0] / counts[1],)


class _Values:
    activation = "none"
    target = "value"

    def weights(self, counts: Sequence[int]) -> tuple[float, ...] | None:
        """None: real values have no classes to weigh."""
        return None


@loss("mse", title="Mean squared error", was=("MSELoss",), search=("regression", "l2", "MeanSquaredError"))
class MeanSquaredError(_Values):
    """For real values: the mean of the squared differences. Large errors count much more than small ones, so single
    wild values pull hard; then use Huber or the mean absolute error.
    """

    def build(self, weight: Tensor | None = None) -> nn.Module:
        return nn.MSELoss()


@loss("mae", title="Mean absolute error", was=("L1Loss",), search=("regression", "l1", "MeanAbsoluteError"))
class MeanAbsoluteError(_Values):
    """For real values: the mean of the absolute differences. Every unit of error counts the same, so single wild
    values do little harm; it learns more slowly near the end.
    """

    def build(self, weight: Tensor | None = None) -> nn.Module:
        return nn.L1Loss()


@loss("huber", title="Huber", was=("HuberLoss",), search=("regression", "smooth l1", "robust"))
class Huber(_Values):
    """For real values: squared for differences below δ, straight above. Combines the exactness of the squared error
    with the calm of the absolute one; a good choice when the data has wild values.
    """

    delta: float = param(
        default=1.0, min=1e-6, max=1e6, log=True, help="Where it turns from squared to straight, in standardised units"
    )

    def build(self, weight: Tensor | None = None) -> nn.Module:
        return concise(nn.HuberLoss, delta=self.delta)
