"""Tokens and sequences: embedding and recurrent layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.concise import concise
from engine.declare import Refusal, layer
from engine.param import param
from engine.tensor import TensorInfo

if TYPE_CHECKING:
    from torch import Tensor, nn
else:
    from engine.expr import nn


@layer(
    "embedding", title="Embedding", was=("Embedding",), search=("token", "word", "lookup", "vocabulary"),
    accepts="tokens",
)  # fmt: skip
class Embedding:
    """Looks up a learned vector for each token id. Use it as the first layer for text and other ids. The result has
    one more axis of the chosen width: steps become steps×width. Ids must be below the vocabulary's size.
    """

    vocabulary: int = param(
        default=10_000, min=1, was=("num_embeddings", "input_dim"), help="How many different ids there are, 0 included"
    )
    width: int = param(default=64, min=1, was=("embedding_dim", "output_dim"), help="How many numbers stand for an id")
    padding_id: int | None = param(
        default=None, min=0, was=("padding_idx",), advanced=True,
        help="The id that fills short texts; its vector stays 0. None: there is no such id",
    )  # fmt: skip

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(nn.Embedding, self.vocabulary, self.width, padding_idx=self.padding_id)

    def refuse(self, x: TensorInfo) -> Refusal | None:
        if self.padding_id is None or self.padding_id < self.vocabulary:
            return None
        return Refusal(
            f"The id {self.padding_id} for padding is not in a vocabulary of {self.vocabulary:,}.",
            f"An id from 0 to {self.vocabulary - 1:,}", "Use 0", {"padding_id": 0},
        )  # fmt: skip

    def detail(self) -> str:
        return f"{self.vocabulary:,} ids to {self.width:,}"[:28]


class _Recurrent:
    units: int = param(default=64, min=1, was=("hidden_size",), help="How many numbers the layer remembers")
    layers: int = param(default=1, min=1, max=64, was=("num_layers",), help="How many such layers on top of each other")
    bidirectional: bool = param(default=False, help="Read from both ends and join the two results; doubles the width")
    dropout: float = param(
        default=0.0, min=0.0, max=0.99, help="Share dropped between the layers while training; needs two or more layers"
    )
    returns: str = param(
        default="last", choices=("last", "sequence"),
        help="last: one vector when all is read; sequence: one vector per step, for another layer or attention",
    )  # fmt: skip

    def refuse(self, x: TensorInfo) -> Refusal | None:
        if not self.dropout or self.layers > 1:
            return None
        return Refusal(
            "Dropout acts between layers, but there is only one.",
            "Two or more layers, or dropout 0", "Set dropout to 0 and put a Dropout layer after this one",
            {"dropout": 0.0},
        )  # fmt: skip

    def detail(self) -> str:
        parts = [f"{self.units:,} units"]
        parts += [f"{self.layers} layers"] if self.layers > 1 else []
        parts += ["both ways"] if self.bidirectional else []
        return ", ".join(parts)[:28]

    def result(self, returned: Any, states: Any) -> Tensor:
        """One vector per step, or what the topmost layer remembers at the end of its reading.

        The way back ends at the first step, so with two ways the last step's output would hold only one step of it:
        the final states (2 × layers, N, units) have both in full.
        """
        if self.returns == "sequence":
            return returned
        return states[-2:].transpose(0, 1).flatten(1) if self.bidirectional else returned[:, -1]


@layer("lstm", title="LSTM", was=("LSTM",), search=("rnn", "recurrent", "memory", "time series"), accepts="sequence")
class LSTM(_Recurrent):
    """Reads a sequence of steps×features step by step and remembers what matters, with gates that keep memories long.
    Use it for time series and text. The result is a vector of units numbers, or steps×units. PyTorch keeps two
    biases per gate, Keras one.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(
            nn.LSTM, x.features, self.units, num_layers=self.layers, batch_first=True, dropout=self.dropout,
            bidirectional=self.bidirectional,
        )  # fmt: skip

    def forward(self, module: nn.Module, x: Tensor) -> Tensor:
        both = module(x)
        return self.result(both[0], both[1][0])


@layer("gru", title="GRU", was=("GRU",), search=("rnn", "recurrent", "memory", "time series"), accepts="sequence")
class GRU(_Recurrent):
    """Reads a sequence of steps×features step by step, like an LSTM with fewer gates and weights. Use it when an LSTM
    is too slow; results are often as good. The result is a vector of units numbers, or steps×units.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(
            nn.GRU, x.features, self.units, num_layers=self.layers, batch_first=True, dropout=self.dropout,
            bidirectional=self.bidirectional,
        )  # fmt: skip

    def forward(self, module: nn.Module, x: Tensor) -> Tensor:
        both = module(x)
        return self.result(both[0], both[1])
