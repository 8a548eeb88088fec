"""LSTM and GRU: ONNX's order of gates and directions as torch has them."""

from __future__ import annotations

from operator import getitem
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.runtime.importing.onnx.build import Build
from engine.runtime.importing.onnx.file import Operation
from engine.runtime.importing.onnx.table import fixed, operator, samples
from engine.runtime.importing.onnx.values import Atom, Known, View, view_of

_ORDER = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2)}
"""Where torch's gates stand among ONNX's: i f g o among i o f c; r z n among z r h."""
_USUAL = {"LSTM": ["sigmoid", "tanh", "tanh"], "GRU": ["sigmoid", "tanh"]}


@operator("LSTM", "GRU")
def _recurrent(build: Build, op: Operation, x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None,
               *states: Any) -> tuple[View | None, ...]:  # fmt: skip
    view = samples(build, x)
    units, both = op.settings["hidden_size"], op.settings.get("direction", "forward") == "bidirectional"
    _refuse_others(build, op, lengths, states)
    if op.settings.get("direction", "forward") == "reverse":
        build.refuse("it reads backwards only")
    weights = _weights(build, op, units, w, r, b)
    kind: Any = nn.LSTM if op.kind == "LSTM" else nn.GRU
    features = view.shape[-1][0]

    def make() -> nn.Module:
        module: nn.Module = kind(features, units, batch_first=True, bidirectional=both)
        return module

    called = build.weighted(
        make, op.kind.lower(), build.node(view.permuted([1, 0, 2])), weights, w.name, r.name, settings=both
    )
    whole = build.call(getitem, called, 0)
    made = view_of(whole)
    directions = (Atom((2, 2)),) if both else ()
    hidden = (Atom((units, units)),) if units > 1 else ()
    batch, steps = made.base[:2]
    sequence = View(whole, (batch, steps, directions + hidden), (steps, directions, batch, hidden))
    return sequence, _last(build, op, whole, both, units), None


def _last(build: Build, op: Operation, whole: Any, both: bool, units: int) -> View | None:
    """The final states, directions first."""
    if len(op.outputs) < 2 or not op.outputs[1] or not build.uses.get(op.outputs[1]):
        return None
    if not both:
        found = view_of(build.call(getitem, whole, (slice(None), -1)))
        return View(found.node, found.base, ((), *found.axes))
    ends = [build.call(getitem, whole, (slice(None), place, slice(start, start + units)))
            for place, start in ((-1, 0), (0, units))]  # fmt: skip
    return _stacked(build, ends)


def _stacked(build: Build, ends: list[Any]) -> View:
    joined = view_of(build.call(torch.cat, ends, 1))
    batch, features = joined.base
    two, units = Atom((2, 2)), features[0].size[0] // 2
    each = (Atom((units, units)),) if units > 1 else ()
    return View(joined.node, (batch, (two, *each)), ((two,), batch, each))


def _weights(build: Build, op: Operation, units: int, w: Any, r: Any, b: Any) -> dict[str, Any]:
    inner, outer = fixed(build, w, "weights"), fixed(build, r, "weights")
    count = len(_ORDER[op.kind])
    bias = np.zeros((len(inner), 2 * count * units), dtype=np.float32) if b is None else fixed(build, b, "biases")

    def ordered(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        gates = rows.reshape(count, units, *rows.shape[1:])
        return np.ascontiguousarray(gates[list(_ORDER[op.kind])].reshape(rows.shape))

    found = {}
    for place, end in enumerate(("", "_reverse")[: len(inner)]):
        found[f"weight_ih_l0{end}"] = ordered(inner[place])
        found[f"weight_hh_l0{end}"] = ordered(outer[place])
        found[f"bias_ih_l0{end}"] = ordered(bias[place][: count * units])
        found[f"bias_hh_l0{end}"] = ordered(bias[place][count * units :])
    return found


def _refuse_others(build: Build, op: Operation, lengths: Any, states: Any) -> None:
    """What torch's layer has no setting for."""
    usual = [item.lower() for item in op.settings.get("activations") or _USUAL[op.kind]]
    step = len(_USUAL[op.kind])
    if any(usual[place : place + step] != _USUAL[op.kind] for place in range(0, len(usual), step)):
        build.refuse("its activations are others than sigmoid and tanh")
    if op.kind == "GRU" and not op.settings.get("linear_before_reset", 0):
        build.refuse("it resets before its product (linear_before_reset = 0)")
    if op.settings.get("clip") or op.settings.get("input_forget") or op.settings.get("layout", 0):
        build.refuse("clipping, coupled gates and another layout have no setting")
    if lengths is not None and not (isinstance(lengths, Known) and len(set(lengths.small.tolist())) == 1):
        build.refuse("samples of different lengths have no setting")
    for state in states[:2]:
        if state is not None and not (isinstance(state, Known) and not state.small.any()):
            build.refuse("it starts from given states")
    if len(states) > 2 and states[2] is not None:
        build.refuse("peepholes have no setting")
