"""Modules that the catalogue has a layer for, and the settings that make the same layer.

One table from class to the layer's type and settings. A class derived from one of these counts as it when it leaves
`forward` alone. Settings that a layer cannot express are found by `prove`, not here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

Made = tuple[str, Mapping[str, Any]]


def find_layer(module: nn.Module) -> Made | None:
    """(type, settings) of the layer that does what this module does; None when it must be looked into."""
    for base in type(module).__mro__:
        if type(module).forward is not getattr(base, "forward", None):
            break  # what lies above is computed otherwise
        make = _TABLE.get(base) or _NAMED.get(f"{base.__module__}.{base.__qualname__}")
        if make is not None:
            return make(module)
    return None


def is_whole(module: nn.Module) -> bool:
    """True for a module that stays one call: the catalogue has a layer for it, or it is torch's own."""
    if isinstance(module, (nn.Sequential, nn.ModuleList, nn.ModuleDict)):
        return False
    return find_layer(module) is not None or type(module).__module__.startswith("torch.nn")


def size(value: Any) -> Any:
    """A pair of equal sides as one number."""
    if isinstance(value, tuple):
        return value[0] if len(set(value)) == 1 else tuple(value)
    return value


def _conv(kind: str) -> Callable[[Any], Made]:
    def made(m: Any) -> Made:
        return kind, {
            "filters": m.out_channels, "kernel": size(m.kernel_size), "stride": size(m.stride),
            "padding": size(m.padding), "dilation": size(m.dilation), "groups": m.groups,
            "bias": m.bias is not None, "padding_mode": m.padding_mode,
        }  # fmt: skip

    return made


def _conv_transpose(m: Any) -> Made:
    return "conv_transpose2d", {
        "filters": m.out_channels, "kernel": size(m.kernel_size), "stride": size(m.stride), "padding": size(m.padding),
        "output_padding": size(m.output_padding), "dilation": size(m.dilation), "groups": m.groups,
        "bias": m.bias is not None,
    }  # fmt: skip


def _batch_norm(kind: str) -> Callable[[Any], Made]:
    return lambda m: (kind, {"eps": m.eps, "momentum": m.momentum, "affine": m.affine})


def _max_pool(kind: str) -> Callable[[Any], Made]:
    return lambda m: (kind, {
        "kernel": size(m.kernel_size), "stride": _step(m), "padding": size(m.padding), "dilation": size(m.dilation),
        "ceil": m.ceil_mode,
    })  # fmt: skip


def _avg_pool(kind: str) -> Callable[[Any], Made]:
    return lambda m: (kind, {
        "kernel": size(m.kernel_size), "stride": _step(m), "padding": size(m.padding), "ceil": m.ceil_mode,
        "count_padding": m.count_include_pad,
    })  # fmt: skip


def _step(m: Any) -> Any:
    stride = size(m.stride)
    return None if stride == size(m.kernel_size) else stride


def _axis(dim: int | None) -> int:
    """Our number of an axis: counted without the batch."""
    return -1 if dim is None else dim - 1 if dim > 0 else dim


def _plain(kind: str, **names: str) -> Callable[[Any], Made]:
    """A layer whose settings are attributes of the module: ours = torch's."""
    return lambda m: (kind, {ours: size(getattr(m, torchs)) for ours, torchs in names.items()})


def _encoder_layer(m: Any) -> Made:
    name = getattr(m.activation, "__name__", type(m.activation).__name__.lower())
    return "transformer_encoder_layer", {
        "heads": m.self_attn.num_heads, "feedforward": m.linear1.out_features, "dropout": float(m.dropout.p),
        "activation": name, "norm_first": m.norm_first,
    }  # fmt: skip


_TABLE: dict[type, Callable[[Any], Made]] = {
    nn.Linear: lambda m: ("linear", {"units": m.out_features, "bias": m.bias is not None}),
    nn.Conv1d: _conv("conv1d"),
    nn.Conv2d: _conv("conv2d"),
    nn.Conv3d: _conv("conv3d"),
    nn.ConvTranspose2d: _conv_transpose,
    nn.BatchNorm1d: _batch_norm("batch_norm1d"),
    nn.BatchNorm2d: _batch_norm("batch_norm2d"),
    nn.BatchNorm3d: _batch_norm("batch_norm3d"),
    nn.LayerNorm: lambda m: ("layer_norm", {
        "axes": len(m.normalized_shape), "eps": m.eps, "affine": m.elementwise_affine}),
    nn.GroupNorm: _plain("group_norm", groups="num_groups", eps="eps", affine="affine"),
    nn.InstanceNorm2d: _plain("instance_norm2d", eps="eps", affine="affine"),
    nn.RMSNorm: lambda m: ("rms_norm", {
        "axes": len(m.normalized_shape), "eps": m.eps, "affine": m.elementwise_affine}),
    nn.MaxPool1d: _max_pool("max_pool1d"),
    nn.MaxPool2d: _max_pool("max_pool2d"),
    nn.AvgPool1d: _avg_pool("avg_pool1d"),
    nn.AvgPool2d: _avg_pool("avg_pool2d"),
    nn.AdaptiveAvgPool1d: _plain("adaptive_avg_pool1d", size="output_size"),
    nn.AdaptiveAvgPool2d: _plain("adaptive_avg_pool2d", size="output_size"),
    nn.AdaptiveMaxPool1d: _plain("adaptive_max_pool1d", size="output_size"),
    nn.AdaptiveMaxPool2d: _plain("adaptive_max_pool2d", size="output_size"),
    nn.Upsample: lambda m: ("upsample", {
        **({"size": size(m.size)} if m.size is not None else {"scale": _whole(m.scale_factor)}), "mode": m.mode}),
    nn.ZeroPad2d: lambda m: ("zero_pad2d", dict(zip(("left", "right", "top", "bottom"), m.padding, strict=True))),
    nn.Flatten: lambda m: ("flatten", {}),
    nn.Identity: lambda m: ("identity", {}),
    nn.ChannelShuffle: _plain("channel_shuffle", groups="groups"),
    nn.Dropout: _plain("dropout", rate="p"),
    nn.Dropout1d: _plain("dropout1d", rate="p"),
    nn.Dropout2d: _plain("dropout2d", rate="p"),
    nn.Dropout3d: _plain("dropout3d", rate="p"),
    nn.AlphaDropout: _plain("alpha_dropout", rate="p"),
    nn.FeatureAlphaDropout: _plain("feature_alpha_dropout", rate="p"),
    nn.ReLU: _plain("relu"),
    nn.ReLU6: _plain("relu6"),
    nn.LeakyReLU: _plain("leaky_relu", slope="negative_slope"),
    nn.PReLU: lambda m: ("prelu", {"per_channel": m.num_parameters > 1, "init": m.init}),
    nn.RReLU: _plain("rrelu", lower="lower", upper="upper"),
    nn.ELU: _plain("elu", alpha="alpha"),
    nn.SELU: _plain("selu"),
    nn.CELU: _plain("celu", alpha="alpha"),
    nn.GELU: _plain("gelu", approximate="approximate"),
    nn.SiLU: _plain("silu"),
    nn.Mish: _plain("mish"),
    nn.Sigmoid: _plain("sigmoid"),
    nn.LogSigmoid: _plain("log_sigmoid"),
    nn.Tanh: _plain("tanh"),
    nn.Tanhshrink: _plain("tanh_shrink"),
    nn.Softplus: _plain("softplus", beta="beta", threshold="threshold"),
    nn.Softsign: _plain("softsign"),
    nn.Hardsigmoid: _plain("hard_sigmoid"),
    nn.Hardswish: _plain("hard_swish"),
    nn.Hardtanh: _plain("hard_tanh", low="min_val", high="max_val"),
    nn.Softmax: lambda m: ("softmax", {"axis": _axis(m.dim)}),
    nn.LogSoftmax: lambda m: ("log_softmax", {"axis": _axis(m.dim)}),
    nn.Embedding: lambda m: ("embedding", {
        "vocabulary": m.num_embeddings, "width": m.embedding_dim, "padding_id": m.padding_idx}),
    nn.TransformerEncoderLayer: _encoder_layer,
}  # fmt: skip


def _whole(scale: Any) -> Any:
    found = tuple(int(item) for item in scale) if isinstance(scale, tuple) else int(scale)
    return size(found)


def _stochastic_depth(m: Any) -> Made:
    return "stochastic_depth", {"rate": m.p, "batch": m.mode == "batch"}


def _window(version: str) -> Callable[[Any], Made]:
    return lambda m: ("window_attention", {
        "version": version, "window": size(tuple(m.window_size)), "shift": size(tuple(m.shift_size)),
        "heads": m.num_heads, "bias": m.qkv.bias is not None, "out_bias": m.proj.bias is not None,
        "attention_dropout": m.attention_dropout, "dropout": m.dropout,
    })  # fmt: skip


_NAMED: dict[str, Callable[[Any], Made]] = {
    "torchvision.ops.stochastic_depth.StochasticDepth": _stochastic_depth,
    "torchvision.ops.misc.Permute": lambda m: ("permute", {"order": tuple(dim - 1 for dim in m.dims[1:])}),
    "torchvision.models.convnext.LayerNorm2d": lambda m: (
        "channel_layer_norm", {"eps": m.eps, "affine": m.elementwise_affine}),
    "torchvision.models.swin_transformer.ShiftedWindowAttention": _window("1"),
    "torchvision.models.swin_transformer.ShiftedWindowAttentionV2": _window("2"),
    "torchvision.models.maxvit.RelativePositionalMultiHeadAttention": lambda m: (
        "relative_attention", {"head_features": m.head_dim}),
}  # fmt: skip
"""Modules of libraries that this one must not import before they are used."""

_FUNCTIONS = ("torchvision.models.shufflenetv2.channel_shuffle",)


def whole_functions() -> list[Callable[..., Any]]:
    """Functions of libraries that stay one call, as far as their library is loaded."""
    found = []
    for name in _FUNCTIONS:
        home, _, function = name.rpartition(".")
        if home in sys.modules:
            found.append(getattr(sys.modules[home], function))
    return found
