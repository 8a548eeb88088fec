"""Makes a trained network smaller or faster: tiny weights to zero, pruning by magnitude, batch norm folded, halves.

Works on a model in memory. Weights means kernels of fully connected, convolution and embedding layers; biases and
norms are few and stay. Never opens data and never writes a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp
from torch.nn.utils import fusion, prune

from engine.problem import Problem, ProblemError, Where, error

KERNELS = (nn.Linear, nn.modules.conv._ConvNd, nn.Embedding)
NORMS = nn.modules.batchnorm._BatchNorm


def kernels_of(model: nn.Module) -> dict[str, nn.Module]:
    """The layers whose weights can be left out, by path; a layer that stands in two places once."""
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, KERNELS) and isinstance(module._parameters.get("weight"), nn.Parameter)
    }


def zero_small(model: nn.Module, threshold: float) -> dict[str, Tensor]:
    """Sets weights of magnitude below `threshold` to zero; the masks (1 = kept) by layer."""
    masks = {name: _weight(module).detach().abs() >= threshold for name, module in kernels_of(model).items()}
    apply_masks(model, masks)
    return masks


def prune_smallest(model: nn.Module, share: float, *, each: bool = False) -> dict[str, Tensor]:
    """Sets a share (0 to 1) of the weights to zero, the smallest of all of them or, with `each`, of each layer.

    Magnitude pruning (Han et al. 2015) by `torch.nn.utils.prune`; the masks (1 = kept) by layer.
    """
    layers = kernels_of(model)
    if each:
        for module in layers.values():
            prune.l1_unstructured(module, "weight", share)  # type: ignore[no-untyped-call]
    elif layers:
        chosen = [(module, "weight") for module in layers.values()]
        prune.global_unstructured(chosen, pruning_method=prune.L1Unstructured, amount=share)
    masks = {name: module.get_buffer("weight_mask").bool() for name, module in layers.items()}
    for module in layers.values():
        prune.remove(module, "weight")  # type: ignore[no-untyped-call]
    return masks


def apply_masks(model: nn.Module, masks: Mapping[str, Tensor]) -> None:
    """Sets weights to exact zero where a mask says so."""
    with torch.no_grad():
        for name, mask in masks.items():
            _weight(model.get_submodule(name)).masked_fill_(~mask, 0.0)


def sparsity(model: nn.Module) -> dict[str, dict[str, int]]:
    """Per layer the number of weights and how many of them are exactly zero."""
    return {
        name: {"weights": _weight(module).numel(), "zero": int((_weight(module) == 0).sum())}
        for name, module in kernels_of(model).items()
    }


def fold_norms(model: nn.Module, inputs: Sequence[Tensor], where: str = "model") -> tuple[nn.Module, list[str]]:
    """A network that answers the same without those batch norms that stand right after a convolution or fully
    connected layer, and their paths. `inputs` is a small batch, from which shapes are read.

    w' = w · γ / √(σ² + ε), b' = (b − μ) · γ / √(σ² + ε) + β. ProblemError when the network cannot be followed or no
    norm stands so that it can be folded.
    """
    model.eval()
    try:
        traced = fx.GraphModule(model, _Tracer().trace(model))
        with torch.no_grad():
            ShapeProp(traced).propagate(*inputs)
    except Exception as fault:  # a tracer fails in as many ways as code can be written
        raise ProblemError(_not_followed(where, fault)) from None
    modules = dict(traced.named_modules())
    uses = _uses(traced)
    folded = []
    for node in list(traced.graph.nodes):
        before = node.args[0] if node.op == "call_module" and node.args else None
        if not isinstance(before, fx.Node) or before.op != "call_module" or len(before.users) != 1:
            continue
        layer, norm = modules[str(before.target)], modules[str(node.target)]
        if uses[str(before.target)] == uses[str(node.target)] == 1 and _can_fold(layer, norm, before):
            _set(traced, str(before.target), _fold(layer, norm))
            node.replace_all_uses_with(before)
            traced.graph.erase_node(node)
            folded.append(str(node.target))
    if not folded:
        raise ProblemError(_nothing_to_fold(where))
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced.eval(), folded


class _Tracer(fx.Tracer):
    """Takes every batch norm as one step, also those that the generated file brings along."""

    def is_leaf_module(self, module: nn.Module, path: str) -> bool:
        """See `fx.Tracer`."""
        return isinstance(module, NORMS) or super().is_leaf_module(module, path)


class Halved(nn.Module):
    """A network in half precision that takes and gives float32."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model.half()

    def forward(self, *inputs: Tensor) -> Any:
        """What the network says."""
        result = self.model(*(item.half() if item.is_floating_point() else item for item in inputs))
        return result.float() if isinstance(result, Tensor) else tuple(item.float() for item in result)


def _weight(module: nn.Module) -> Tensor:
    weight = module.weight
    assert isinstance(weight, Tensor)
    return weight


def _uses(traced: fx.GraphModule) -> dict[str, int]:
    found: dict[str, int] = {}
    for node in traced.graph.nodes:
        if node.op == "call_module":
            found[str(node.target)] = found.get(str(node.target), 0) + 1
        elif node.op == "get_attr":  # a parameter taken from a layer: that layer must stay as it is
            owner = str(node.target).rpartition(".")[0]
            found[owner] = found.get(owner, 0) + 2
    return found


def _can_fold(layer: nn.Module, norm: nn.Module, made: fx.Node) -> bool:
    if not isinstance(norm, NORMS) or norm.running_mean is None or nn.utils.parametrize.is_parametrized(layer):
        return False
    if getattr(norm, "axis", "channels") != "channels":
        return False
    if isinstance(layer, nn.Linear):
        # With more axes the norm counts the second, the layer the last.
        return len(made.meta["tensor_meta"].shape) == 2
    return isinstance(layer, nn.modules.conv._ConvNd) and not (layer.transposed and layer.groups > 1)


def _fold(layer: nn.Module, norm: nn.Module) -> nn.Module:
    fold: Callable[..., nn.Module] = fusion.fuse_linear_bn_eval
    if isinstance(layer, nn.Linear):
        return fold(layer, norm)
    fold_conv: Callable[..., nn.Module] = fusion.fuse_conv_bn_eval
    return fold_conv(layer, norm, bool(getattr(layer, "transposed", False)))


def _set(root: nn.Module, path: str, module: nn.Module) -> None:
    owner, _, name = path.rpartition(".")
    setattr(root.get_submodule(owner), name, module)


def _not_followed(where: str, fault: Exception) -> Problem:
    words = (str(fault).strip().splitlines() or [type(fault).__name__])[0][:200]
    return error(
        Where(label=where), f"The network's steps cannot be followed, so nothing can be folded: {words}",
        "A network without steps that depend on values", "Use another way to make it smaller", code="fold-trace",
    )  # fmt: skip


def _nothing_to_fold(where: str) -> Problem:
    return error(
        Where(label=where), "No batch norm stands right after a convolution or fully connected layer",
        "At least one batch norm with running statistics whose input comes from one such layer alone",
        "Use another way to make it smaller", code="fold-nothing",
    )  # fmt: skip
