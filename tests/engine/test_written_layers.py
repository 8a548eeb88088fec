"""Arithmetic, parts of samples, learned numbers and attention written out: each against the formula it stands for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.declare import find
from engine.expr import name, used_helpers
from engine.runtime.meta import namespace
from engine.source_calls import forward_of
from engine.tensor import TensorInfo

Formula = Callable[..., Tensor]
CASES: list[tuple[str, dict[str, Any], list[tuple[int, ...]], Formula]] = [
    ("add", {"stretch": True}, [(4, 3, 3), (4, 1, 1)], lambda a, b: a + b),
    ("multiply", {"stretch": True}, [(4, 1, 1), (4, 3, 3)], lambda a, b: a * b),
    ("subtract", {}, [(4, 3), (4, 3)], lambda a, b: a - b),
    ("subtract", {"stretch": True}, [(4, 3), (4, 1)], lambda a, b: a - b),
    ("divide", {}, [(4, 3), (4, 3)], lambda a, b: a / b),
    ("divide", {"stretch": True}, [(4, 3), (1, 3)], lambda a, b: a / b),
    ("matmul", {}, [(2, 4, 3), (2, 3, 5)], torch.matmul),
    ("scale", {"factor": 0.3}, [(4, 3)], lambda x: x * 0.3),
    ("scale", {"factor": 0.3, "divide": True}, [(4, 3)], lambda x: x / 0.3),
    ("shift", {"amount": -2.5}, [(4, 3)], lambda x: x - 2.5),
    ("elementwise", {"function": "exp"}, [(4, 3)], torch.exp),
    ("elementwise", {"function": "square"}, [(4, 3)], lambda x: x * x),
    ("elementwise", {"function": "abs"}, [(4, 3)], torch.abs),
    ("reduce", {"axes": (0, -1)}, [(4, 3, 2)], lambda x: x.sum((1, 3))),
    ("reduce", {"how": "max", "axes": (1,), "keep": True}, [(4, 3)], lambda x: x.amax(2, keepdim=True)),
    ("reduce", {"how": "min"}, [(4, 3)], lambda x: x.amin(1)),
    ("mean", {"axes": (0, -1), "keep": True}, [(4, 3, 2)], lambda x: x.mean((1, 3), keepdim=True)),
    ("einsum", {"equation": "bik,bkj->bij"}, [(4, 3), (3, 5)], torch.bmm),
    ("einsum", {}, [(4, 3), (4, 3)], lambda a, b: a * b),
    ("select", {"axis": 1, "index": -1}, [(4, 3)], lambda x: x[:, :, -1]),
    ("slice", {"axis": -1, "start": 1, "length": 2}, [(4, 3)], lambda x: x[:, :, 1:3]),
    ("unsqueeze", {"axis": 1}, [(4, 3)], lambda x: x[:, :, None]),
    ("squeeze", {"axis": 1}, [(4, 1)], lambda x: x[:, :, 0]),
    ("channel_shuffle", {"groups": 2}, [(4, 3, 3)], lambda x: x[:, [0, 2, 1, 3]]),
    ("patch_merge", {}, [(4, 6, 2)], lambda x: torch.cat(
        [x[:, ::2, ::2], x[:, 1::2, ::2], x[:, ::2, 1::2], x[:, 1::2, 1::2]], -1)),
    ("dot_product_attention", {}, [(2, 4, 3), (2, 5, 3), (2, 5, 6)],
     lambda q, k, v: F.softmax(q @ k.transpose(-1, -2) / 3**0.5, -1) @ v),
    ("dot_product_attention", {"causal": True}, [(4, 3), (4, 3), (4, 3)],
     lambda q, k, v: F.softmax((q @ k.mT / 3**0.5).masked_fill(torch.ones(4, 4).triu(1).bool(), -torch.inf), -1) @ v),
    ("learned_scale", {"start": 0.5, "shape": (4, 1)}, [(4, 3)], lambda x: x * 0.5),
    ("learned_shift", {"start": 0.5}, [(4, 3)], lambda x: x + 0.5),
    ("learned_tensor", {"start": 0.5, "shape": (1, 2, 3)}, [(4, 3)], lambda x: torch.full((len(x), 2, 3), 0.5)),
    ("learned_tensor", {"shape": (2, 3)}, [(4,)], lambda x: torch.zeros(len(x), 2, 3)),
]  # fmt: skip


def layer(kind: str, settings: dict[str, Any], samples: list[Tensor]) -> tuple[Any, Callable[..., Tensor]]:
    """The module of a layer (None where it has none) and what calls it."""
    declaration = find("layer", kind)
    assert declaration is not None
    made = declaration.make(settings)
    infos = [TensorInfo(tuple(item.shape[1:])) for item in samples]
    if hasattr(made, "refuse"):
        assert made.refuse(*infos) is None
    scope = namespace()
    module = None
    if hasattr(made, "build"):
        recorded = made.build(*infos)
        module = eval(recorded.text, namespace(used_helpers(recorded)))

    names = [f"value_{place}" for place in range(len(samples))]
    called = forward_of(
        declaration, made, name("module") if module is not None else None, [name(item) for item in names]
    )

    def run(*values: Tensor) -> Tensor:
        found: Tensor = eval(called.text, {**scope, "module": module, **dict(zip(names, values, strict=True))})
        return found

    return module, run


@pytest.mark.parametrize(("kind", "settings", "shapes", "formula"), CASES)
def test_a_layer_computes_its_formula(
    kind: str, settings: dict[str, Any], shapes: list[tuple[int, ...]], formula: Formula
) -> None:
    torch.manual_seed(0)
    samples = [torch.randn(3, *shape, dtype=torch.float64) for shape in shapes]
    module, run = layer(kind, settings, samples)
    if isinstance(module, nn.Module):
        module.double()
    torch.testing.assert_close(run(*samples), formula(*samples), rtol=0, atol=1e-10, check_dtype=False)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("version", "shift"), [("1", (0, 0)), ("1", (2, 1)), ("2", (2, 0)), ("2", (0, 0))])
def test_window_attention_is_torchvisions_bit_for_bit(version: str, shift: tuple[int, int], training: bool) -> None:
    swin = pytest.importorskip("torchvision.models.swin_transformer")
    theirs = swin.ShiftedWindowAttentionV2 if version == "2" else swin.ShiftedWindowAttention
    rates = {"attention_dropout": 0.2, "dropout": 0.1}
    torch.manual_seed(1)
    original = theirs(12, [4, 3], list(shift), 2, **rates).train(training)
    x = torch.randn(2, 9, 8, 12)
    settings = {"version": version, "window": (4, 3), "shift": shift, "heads": 2, **rates}
    module, run = layer("window_attention", settings, [x])
    assert {key: item.shape for key, item in module.state_dict().items()} == {
        key: item.shape for key, item in original.state_dict().items()
    }
    fixed = [key for key, _ in original.named_buffers()]
    assert all(torch.allclose(module.state_dict()[key], original.state_dict()[key]) for key in fixed)
    module.load_state_dict(original.state_dict())
    module.train(training)
    torch.manual_seed(2)
    expected = original(x)
    torch.manual_seed(2)
    found = run(x)
    assert torch.equal(found, expected)


def test_relative_attention_is_torchvisions_bit_for_bit() -> None:
    maxvit = pytest.importorskip("torchvision.models.maxvit")
    torch.manual_seed(1)
    original = maxvit.RelativePositionalMultiHeadAttention(12, 4, 9)
    x = torch.randn(2, 5, 9, 12)
    module, run = layer("relative_attention", {"head_features": 4}, [x])
    assert torch.equal(module.relative_position_index, original.relative_position_index)
    module.load_state_dict(original.state_dict())
    assert torch.equal(run(x), original(x))


@pytest.mark.parametrize("batch", [False, True])
def test_stochastic_depth_is_torchvisions_bit_for_bit(batch: bool) -> None:
    depth = pytest.importorskip("torchvision.ops.stochastic_depth")
    x = torch.randn(6, 4, 3, 3)
    _, run = layer("stochastic_depth", {"rate": 0.3, "batch": batch}, [x])
    torch.manual_seed(3)
    expected = depth.stochastic_depth(x, 0.3, "batch" if batch else "row", training=True)
    torch.manual_seed(3)
    assert torch.equal(run(x), expected)


def test_dropout_of_attention_acts_only_while_training() -> None:
    x = torch.randn(2, 4, 8)
    module, run = layer("dot_product_attention", {"dropout": 0.5}, [x, x, x])
    first = run(x, x, x)
    assert not torch.equal(first, run(x, x, x))
    module.eval()
    assert torch.equal(run(x, x, x), run(x, x, x))


def test_attention_with_its_weights_asked_for_is_torchs_other_way() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 4, 8)
    module, run = layer("multihead_attention", {"stepwise": True}, [x])
    assert torch.equal(run(x), module(x, x, x)[0])
