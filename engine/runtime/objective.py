"""What one batch asks of the model: the turns of a step, each a loss over some of its parameters.

Owns the meaning of a batch: which output answers which target, by which loss and with which weight. `fit` asks for the
turns and does zero, loss, backward, clip and step for each. Supervised learning has one turn. Never steps itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from torch import Tensor, nn

from engine.datafacts import Target

LossFunction = Callable[[Tensor, Tensor], Tensor]
"""(outputs, targets) -> 0-dim mean loss of a batch."""


class Batch(Protocol):
    """What `Data` yields: tensors on the device, in the order of the streams, and the number of samples."""

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """One tensor per input stream, first axis samples."""
        ...

    @property
    def targets(self) -> tuple[Tensor, ...]:
        """One tensor per target stream."""
        ...

    @property
    def size(self) -> int:
        """Number of samples."""
        ...


class Turn(NamedTuple):
    """One update: the parameters it moves, and the loss to make small (0-dim; outputs are kept for the figures)."""

    name: str
    parameters: Sequence[nn.Parameter]
    loss: Callable[[], Tensor]


@dataclass(frozen=True)
class Head:
    """One output of the model: its name, the target stream it answers, its loss and its weight in the sum."""

    name: str
    target: int
    """Index of the target stream in a batch."""
    loss: LossFunction
    facts: Target
    weight: float = 1.0
    activation: str = "none"
    """softmax, sigmoid or none: what turns raw outputs into answers (`predict`, the metrics)."""


class Supervised:
    """Each output is compared with its target; the losses are added up by weight."""

    def __init__(self, model: nn.Module, heads: Sequence[Head], forward: Callable[..., Any] | None = None) -> None:
        if not heads:
            raise ValueError("a model without outputs has nothing to learn")
        self.heads = tuple(heads)
        self.outputs: tuple[Tensor, ...] = ()
        """Raw outputs of the batch last asked for, detached."""
        # The model itself unless it shall run in another precision.
        self._model = forward or model
        self._module = model
        self.settle()
        self._single = self.heads[0] if len(self.heads) == 1 and self.heads[0].weight == 1.0 else None

    def settle(self) -> None:
        """Moves what trains now: a phase may have frozen layers or let them go."""
        self._parameters = tuple(parameter for parameter in self._module.parameters() if parameter.requires_grad)

    def turns(self, batch: Batch) -> Iterator[Turn]:
        """The turns of one step."""
        yield Turn("model", self._parameters, lambda: self.loss(batch))

    def loss(self, batch: Batch) -> Tensor:
        """Weighted mean loss of a batch, 0-dim, with its graph."""
        outputs = self._model(*batch.inputs)
        if self._single is not None and isinstance(outputs, Tensor):
            self.outputs = (outputs.detach(),)
            return self._single.loss(outputs, batch.targets[self._single.target])
        outputs = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
        self.outputs = tuple(output.detach() for output in outputs)
        total = self._weighted(0, outputs, batch)
        for index in range(1, len(self.heads)):
            total = total + self._weighted(index, outputs, batch)
        return total

    def _weighted(self, index: int, outputs: tuple[Tensor, ...], batch: Batch) -> Tensor:
        head = self.heads[index]
        return head.weight * head.loss(outputs[index], batch.targets[head.target])
