"""Relations between settings and shapes that torch rejects obscurely are refused in words, with settings that mend."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch

from engine.declare import Refusal, find
from engine.tensor import FLOAT, INT, TensorInfo
from tests.engine.catalogue import call, module_of, tensor_of

REFUSED: list[tuple[str, dict[str, Any], list[tuple[int, ...]], bool]] = [
    ("conv1d", {"padding": (1, 2)}, [(4, 9)], True),
    ("conv1d", {"kernel": 12}, [(4, 9)], True),
    ("conv2d", {"padding": "same", "stride": 2}, [(4, 9, 9)], True),
    ("conv2d", {"padding": "same", "stride": (1, 2), "kernel": (3, 5)}, [(4, 9, 9)], True),
    ("conv2d", {"groups": 3}, [(4, 9, 9)], True),
    ("conv2d", {"groups": 4, "filters": 6}, [(4, 9, 9)], True),
    ("conv2d", {"kernel": (3, 12)}, [(4, 9, 9)], True),
    ("conv2d", {"kernel": 3, "dilation": 5}, [(4, 9, 9)], True),
    ("conv2d", {"padding": 9, "padding_mode": "reflect"}, [(4, 9, 9)], True),
    ("conv2d", {"padding": 10, "padding_mode": "circular"}, [(4, 9, 9)], True),
    ("conv3d", {"kernel": 12}, [(4, 9, 5, 9)], True),
    ("conv3d", {"padding": "same", "stride": 2}, [(4, 9, 5, 9)], True),
    ("depthwise_conv2d", {"kernel": 12}, [(4, 9, 9)], True),
    ("depthwise_conv2d", {"padding": "same", "stride": 2}, [(4, 9, 9)], True),
    ("conv_transpose2d", {"groups": 3}, [(4, 9, 9)], True),
    ("conv_transpose2d", {"output_padding": 1}, [(4, 9, 9)], True),
    ("conv_transpose2d", {"padding": 6}, [(4, 9, 9)], True),
    ("max_pool1d", {"kernel": 12}, [(4, 9)], True),
    ("max_pool2d", {"kernel": 12}, [(4, 9, 9)], True),
    ("max_pool2d", {"kernel": (2, 4), "padding": 2}, [(4, 9, 9)], True),
    ("max_pool2d", {"dilation": 12}, [(4, 9, 9)], True),
    ("avg_pool1d", {"padding": 2}, [(4, 9)], True),
    ("avg_pool2d", {"kernel": 12}, [(4, 9, 9)], True),
    ("layer_norm", {"axes": 3}, [(6, 8)], True),
    ("rms_norm", {"axes": 2}, [(8,)], True),
    ("group_norm", {"groups": 3}, [(4, 9, 9)], True),
    ("instance_norm2d", {}, [(4, 1, 1)], False),
    ("softmax", {"axis": 1}, [(8,)], True),
    ("softmax", {"axis": -2}, [(8,)], True),
    ("log_softmax", {"axis": 1}, [(8,)], True),
    ("glu", {}, [(7,)], False),
    ("glu", {"gate": "relu", "axis": "channels"}, [(3, 4, 4)], False),
    ("maxout", {"pieces": 3}, [(8,)], False),
    ("hard_tanh", {"low": 2.0}, [(8,)], True),
    ("rrelu", {"lower": 0.5, "upper": 0.25}, [(8,)], True),
    ("flatten", {}, [()], False),
    ("reshape", {"target": (3, 5)}, [(4, 4)], True),
    ("reshape", {"target": (3, 4)}, [(4, 4)], True),
    ("reshape", {"target": (-1, -1)}, [(4, 4)], True),
    ("reshape", {"target": (0, 4)}, [(4, 4)], True),
    ("reshape", {"target": ()}, [(4, 4)], True),
    ("permute", {"order": (0, 0)}, [(4, 4)], True),
    ("permute", {"order": (1, 0)}, [(4, 4, 4)], True),
    ("upsample", {"mode": "linear"}, [(4, 9, 9)], True),
    ("upsample", {"mode": "bilinear"}, [(4, 9)], True),
    ("upsample", {"scale": (2, 3)}, [(4, 9)], True),
    ("upsample", {"size": (2, 3)}, [(4, 9, 9, 9)], True),
    ("add", {}, [(4,)], False),
    ("add", {}, [(4,), (1,)], True),
    ("add", {"stretch": True}, [(4,), (3,)], False),
    ("multiply", {}, [(4, 2), (4, 1)], True),
    ("multiply", {}, [(4, 2), (3, 2)], False),
    ("subtract", {}, [(4, 2), (4, 1)], True),
    ("divide", {}, [(4, 2), (4,)], False),
    ("matmul", {}, [(4, 2), (4, 2)], False),
    ("scale", {"factor": 0.0, "divide": True}, [(4,)], True),
    ("reduce", {"axes": (2,)}, [(4, 2)], True),
    ("reduce", {"axes": ()}, [(4, 2)], True),
    ("einsum", {"equation": "bij->__import__"}, [(4, 2)], False),
    ("einsum", {}, [(4, 2)], False),
    ("einsum", {"equation": "bi,bj->ij"}, [(4,), (4,)], False),
    ("select", {"axis": 2}, [(4, 2)], True),
    ("select", {"index": 4}, [(4, 2)], True),
    ("slice", {"axis": 2}, [(4, 2)], True),
    ("slice", {"start": 3, "length": 2}, [(4, 2)], True),
    ("unsqueeze", {"axis": 3}, [(4, 2)], True),
    ("squeeze", {}, [(4, 1)], True),
    ("squeeze", {}, [(4, 2)], False),
    ("channel_shuffle", {"groups": 3}, [(4, 9, 9)], True),
    ("learned_scale", {"shape": (3,)}, [(4,)], True),
    ("learned_shift", {"shape": (2, 4)}, [(4,)], True),
    ("learned_tensor", {"shape": ()}, [(4,)], True),
    ("dot_product_attention", {}, [(4, 2), (4, 3), (4, 2)], False),
    ("window_attention", {"heads": 5}, [(8, 8, 12)], True),
    ("window_attention", {"shift": 7}, [(8, 8, 12)], True),
    ("relative_attention", {"head_features": 5}, [(4, 9, 12)], True),
    ("relative_attention", {}, [(4, 8, 32)], False),
    ("relative_attention", {}, [(9, 32)], False),
    ("average", {}, [(4,), (4,), (5,)], False),
    ("concatenate", {}, [(4, 2), (4, 3)], True),
    ("concatenate", {}, [(4, 2), (4,)], False),
    ("concatenate", {}, [(4, 2)], False),
    ("concatenate", {"axis": 2}, [(4, 2), (4, 2)], True),
    ("mean", {"axes": (2,)}, [(4, 2)], True),
    ("mean", {"axes": (0, -2)}, [(4, 2)], True),
    ("mean", {"axes": ()}, [(4, 2)], True),
    ("embedding", {"vocabulary": 5, "padding_id": 5}, [(6,)], True),
    ("lstm", {"dropout": 0.5}, [(6, 8)], True),
    ("gru", {"dropout": 0.5}, [(6, 8)], True),
    ("multihead_attention", {"heads": 3}, [(6, 8)], True),
    ("transformer_encoder_layer", {"heads": 5}, [(6, 8)], True),
]
"""Layer, settings, shapes that arrive, and whether changed settings can mend it."""


def assert_helpful(refusal: Refusal | None) -> Refusal:
    """A refusal says what happened, what was expected and what to do."""
    assert refusal is not None
    assert refusal.happened.endswith(".")
    assert refusal.expected
    assert refusal.fix
    assert not refusal.fix.endswith(".")
    return refusal


def made_of(type_name: str, settings: dict[str, Any]) -> Any:
    declaration = find("layer", type_name)
    assert declaration is not None
    return declaration.make(settings)


def infos_of(type_name: str, shapes: list[tuple[int, ...]]) -> list[TensorInfo]:
    return [TensorInfo(shape, INT if type_name == "embedding" else FLOAT) for shape in shapes]


def run(made: Any, infos: list[TensorInfo]) -> torch.Tensor:
    with torch.device("meta"):
        module = module_of(made, infos)
    return call(made, module, [tensor_of(info, "meta") for info in infos])


@pytest.mark.parametrize(("type_name", "settings", "shapes", "mendable"), REFUSED)
def test_what_does_not_fit_is_refused_in_words_and_its_mend_works(
    type_name: str, settings: dict[str, Any], shapes: list[tuple[int, ...]], mendable: bool
) -> None:
    infos = infos_of(type_name, shapes)
    refusal = assert_helpful(made_of(type_name, settings).refuse(*infos))
    assert (refusal.mend is not None) == mendable
    if refusal.mend is not None:
        mended = made_of(type_name, {**settings, **refusal.mend})
        assert mended.refuse(*infos) is None
        assert run(mended, infos).device.type == "meta"


def test_every_layer_with_a_rule_stands_in_the_table() -> None:
    from tests.engine.catalogue import layers

    with_rule = {item.type for item in layers() if hasattr(item.cls, "refuse")}
    assert with_rule == {row[0] for row in REFUSED}


TORCH_AGREES = {
    "conv1d": ("kernel", "dilation", "padding", "stride", "padding_mode"),
    "conv2d": ("kernel", "dilation", "padding", "stride", "groups", "padding_mode"),
    "max_pool1d": ("kernel", "dilation", "padding", "stride", "ceil"),
    "max_pool2d": ("kernel", "dilation", "padding", "stride", "ceil"),
    "avg_pool2d": ("kernel", "padding", "stride", "ceil"),
    "conv_transpose2d": ("kernel", "dilation", "padding", "stride", "output_padding", "groups"),
}
GRID: dict[str, list[Any]] = {
    "kernel": [2, 5], "dilation": [1, 3], "padding": [0, 1, 2, 5], "stride": [1, 2], "groups": [1, 2, 3],
    "output_padding": [0, 1, 2], "ceil": [False, True], "padding_mode": ["zeros", "reflect", "circular"],
}  # fmt: skip


@pytest.mark.parametrize("type_name", TORCH_AGREES)
def test_the_rules_refuse_exactly_what_torch_refuses(type_name: str) -> None:
    axes = 1 if type_name.endswith("1d") else 2
    counts = {True: 0, False: 0}
    for values in product(*(GRID[key] for key in TORCH_AGREES[type_name])):
        made = made_of(type_name, {"filters": 6} if type_name.startswith("conv") else {})
        vars(made).update(zip(TORCH_AGREES[type_name], values, strict=True))
        for size in (1, 4, 5, 9):
            infos = [TensorInfo((4,) + (size,) * axes)]
            try:
                module = module_of(made, infos)
                fits = call(made, module, [tensor_of(infos[0])]).numel() > 0
            except (RuntimeError, ValueError):
                fits = False
            assert (made.refuse(*infos) is None) == fits, (values, size)
            counts[fits] += 1
    assert min(counts.values()) > 10
