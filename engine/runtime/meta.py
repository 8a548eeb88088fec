"""Evaluates one layer on torch's meta device: the recorded constructor *is* the shape rule.

Owns the step from a declared object and arriving shapes to `LayerFacts`: outputs, parameters, cost, or why torch
refuses. Draws no random number and allocates nothing. The batch has two samples, because batch normalisation refuses
one. Multiply-adds are half of what torch's own counter calls FLOPs, per sample; normalisations and activations are 0.
"""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.accept import ACCEPTED
from engine.declare import Declaration, Refusal
from engine.expr import Expr, name, used_helpers
from engine.runtime.lean import FlopCounterMode
from engine.source_calls import forward_of, reparametrization_of, wrapped
from engine.source_facts import LayerFacts
from engine.source_helpers import file_name
from engine.tensor import TensorInfo, shape_text

BATCH = 2
Infos = tuple[tuple[TensorInfo, ...], ...]


def evaluate(declaration: Declaration, declared: Any, arrived: Infos) -> LayerFacts:
    """What the layer makes of the shapes that arrive, per input port; a refusal becomes `fault`, never an exception."""
    flat = tuple(info for port in arrived for info in port)
    refusal = refused(declaration, declared, flat)
    if refusal:
        return LayerFacts(declaration, declared, fault=refusal)
    constructor: Expr | None = None
    try:
        if hasattr(declaration.cls, "build"):
            constructor = declared.build(*flat)
        return _measured(declaration, declared, constructor, flat)
    except (RuntimeError, ValueError, TypeError, AssertionError, IndexError, NotImplementedError, OverflowError,
            ZeroDivisionError) as fault:  # fmt: skip
        return LayerFacts(declaration, declared, constructor, fault=_in_words(fault, flat))


def refused(declaration: Declaration, declared: Any, flat: tuple[TensorInfo, ...]) -> Refusal | None:
    """The layer's own rules: what it `accepts`, and its optional method `refuse`."""
    accepted = ACCEPTED[declaration.accepts]
    for info in flat:
        if not accepted.fits(info):
            kind = "" if not accepted.dtype or info.dtype == accepted.dtype else f" of type {info.dtype}"
            return Refusal(
                f"{shape_text(info.shape)}{kind} arrived.", f"{accepted.words[0].upper()}{accepted.words[1:]}.",
                "Put a layer between that brings it into this form.",
            )  # fmt: skip
    refuse = getattr(declared, "refuse", None)
    found: Refusal | None = refuse(*flat) if refuse else None
    return found


def namespace(helpers: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The names that recorded code may use, and nothing else: no builtins."""
    found: dict[str, Any] = {"__builtins__": {}, "torch": torch, "nn": nn, "F": F, "math": math}
    return found | {helper: _helper(helper) for helper in helpers}


@lru_cache(maxsize=1024)
def arg_names(callee: str) -> Sequence[str]:
    """Names of the positional arguments of a callee as recorded (`nn.Linear`): in_features, out_features, ..."""
    found: Any = namespace().get(callee.partition(".")[0])
    for part in callee.split(".")[1:]:
        found = getattr(found, part, None)
    if found is None and callee.isidentifier():
        found = _helper(callee)
    try:
        return tuple(inspect.signature(found).parameters) if found is not None else ()
    except (TypeError, ValueError):
        return ()


def _measured(declaration: Declaration, declared: Any, plain: Expr | None, flat: tuple[TensorInfo, ...]) -> LayerFacts:
    chosen = reparametrization_of(declared) if plain is not None else None
    constructor = plain if chosen is None or plain is None else wrapped(chosen, plain)
    names = [name(f"in_{index}") for index in range(len(flat))]
    module = name("module") if constructor is not None else None
    called = forward_of(declaration, declared, module, names)
    scope = namespace(used_helpers(called) | used_helpers(constructor))
    with torch.device("meta"), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice on speed, such as `same` with an even kernel: it comes when it trains
        scope |= {item.text: sample_batch(info) for item, info in zip(names, flat, strict=True)}
        own: tuple[str, ...] = ()
        fans = None
        if plain is not None:
            scope["module"] = eval(plain.text, scope)
            weights = _parameters(scope["module"])
            own, fans = tuple(weights), _fans(declaration, weights)
            if chosen is not None:
                scope["module"] = eval(wrapped(chosen, plain, name("module")).text, scope)
        with FlopCounterMode(display=False) as counter:
            result = tuple(eval(item.text, scope) for item in called) if isinstance(called, tuple) else (
                eval(called.text, scope))  # fmt: skip
    outputs = _outputs(declaration, result)
    if isinstance(outputs, Refusal):
        return LayerFacts(declaration, declared, constructor, fault=outputs)
    made = scope.get("module")
    parameters = _parameters(made) if made is not None else {}
    buffers = dict(made.named_buffers()) if isinstance(made, nn.Module) else {}
    return LayerFacts(
        declaration, declared, constructor, outputs,
        parameters=sum(item.numel() for item in parameters.values()),
        trainable=sum(item.numel() for item in parameters.values() if item.requires_grad),
        buffers=sum(item.numel() for key, item in buffers.items() if not key.endswith("num_batches_tracked")),
        multiply_adds=counter.get_total_flops() // 2 // BATCH,
        tensors=own, fans=fans, plain=plain if chosen is not None else None, reparametrization=chosen,
    )  # fmt: skip


def _parameters(made: nn.Module | nn.Parameter) -> dict[str, Tensor]:
    """By name; a layer may also be a parameter itself, which then has no name beside the layer's."""
    return {"": made} if isinstance(made, nn.Parameter) else dict(made.named_parameters())


def _fans(declaration: Declaration, parameters: Mapping[str, Tensor]) -> tuple[int, int] | None:
    """Connections that enter and leave a unit of the first weight, by torch's own count."""
    for name_, tensor in parameters.items():
        if tensor.dim() >= 2 and any(name_ == kind or name_.startswith(f"{kind}_") for kind in declaration.weights):
            return nn.init._calculate_fan_in_and_fan_out(tensor)
    return None


def sample_batch(info: TensorInfo, batch: int = BATCH) -> Tensor:
    """A batch of that shape and type on the current device; whole numbers are zeros, so that they are valid indices."""
    if info.dtype == "float32":
        return torch.empty((batch, *info.shape))
    return torch.zeros((batch, *info.shape), dtype=_DTYPES[info.dtype])


_DTYPES = {"int64": torch.int64, "bool": torch.bool, "float64": torch.float64, "float16": torch.float16}
_NAMES = {torch.float32: "float32"} | {kind: text for text, kind in _DTYPES.items()}


def _outputs(declaration: Declaration, result: Any) -> tuple[TensorInfo, ...] | Refusal:
    found = result if isinstance(result, tuple) else (result,)
    if len(found) != len(declaration.outputs) or not all(isinstance(item, Tensor) for item in found):
        raise TypeError(f"{declaration.title} does not return {len(declaration.outputs)} tensors")
    for item in found:
        if item.dim() == 0 or item.shape[0] != BATCH:
            return Refusal(
                "The first axis, which counts the samples of a batch, would be lost.",
                "A result with one row per sample.", "Leave the batch axis out of the axes that this layer changes.",
            )  # fmt: skip
    if any(item.numel() == 0 for item in found):
        return Refusal("The result would be empty.", "At least one value per sample.", "Use smaller steps or kernels.")
    return tuple(TensorInfo(tuple(item.shape[1:]), _NAMES.get(item.dtype, "float32")) for item in found)


def _in_words(fault: Exception, flat: tuple[TensorInfo, ...]) -> Refusal:
    """torch's message, its first sentence only: the rest is for people who read C++."""
    text = (str(fault).strip().splitlines() or [type(fault).__name__])[0].rstrip(".")
    arrived = ", ".join(shape_text(info.shape) for info in flat) or "nothing"
    return Refusal(
        f"{arrived} arrived, and torch refuses it: {text[:300]}.", "Shapes and settings that go together.",
        "Change a setting of this layer, or what is wired to it.",
    )  # fmt: skip


def _helper(name_: str) -> Any:
    try:
        return getattr(import_module(f"engine.runtime.modules.{file_name(name_)}"), name_, None)
    except ModuleNotFoundError:
        return None
