"""Writes torch calls the way people write them: a keyword that equals torch's own default is left out.

Owns `concise` and the table of torch's defaults, which a test holds against torch itself. Never imports torch and
never changes a meaning: with or without it the same module is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_CONV = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True, "padding_mode": "zeros"}
_MAX_POOL = {"stride": None, "padding": 0, "dilation": 1, "ceil_mode": False}
_AVERAGE_POOL = {"stride": None, "padding": 0, "ceil_mode": False, "count_include_pad": True}
_BATCH_NORM = {"eps": 1e-5, "momentum": 0.1, "affine": True}
_RECURRENT = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
_ADAM = {"betas": (0.9, 0.999), "eps": 1e-8, "amsgrad": False, "fused": None}

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "nn.Linear": {"bias": True},
    "nn.Conv1d": _CONV,
    "nn.Conv2d": _CONV,
    "nn.Conv3d": _CONV,
    "nn.ConvTranspose2d": {
        "stride": 1, "padding": 0, "output_padding": 0, "groups": 1, "bias": True, "dilation": 1,
    },
    "nn.utils.parametrizations.weight_norm": {"dim": 0},
    "nn.utils.parametrizations.spectral_norm": {"n_power_iterations": 1},
    "nn.MaxPool1d": _MAX_POOL,
    "nn.MaxPool2d": _MAX_POOL,
    "nn.AvgPool1d": _AVERAGE_POOL,
    "nn.AvgPool2d": _AVERAGE_POOL,
    "nn.Upsample": {"size": None, "scale_factor": None, "mode": "nearest", "align_corners": None},
    "nn.BatchNorm1d": _BATCH_NORM,
    "nn.BatchNorm2d": _BATCH_NORM,
    "AxisBatchNorm": {**_BATCH_NORM, "axis": "channels", "biased": False},
    "nn.LayerNorm": {"eps": 1e-5, "elementwise_affine": True},
    "nn.GroupNorm": {"eps": 1e-5, "affine": True},
    "nn.InstanceNorm2d": {"eps": 1e-5, "affine": False},
    "nn.RMSNorm": {"eps": None, "elementwise_affine": True},
    "nn.LeakyReLU": {"negative_slope": 0.01},
    "nn.ELU": {"alpha": 1.0},
    "nn.GELU": {"approximate": "none"},
    "nn.Softplus": {"beta": 1.0, "threshold": 20.0},
    "nn.CELU": {"alpha": 1.0},
    "nn.Hardtanh": {"min_val": -1.0, "max_val": 1.0},
    "nn.Hardshrink": {"lambd": 0.5},
    "nn.Softshrink": {"lambd": 0.5},
    "nn.GLU": {"dim": -1},
    "nn.PReLU": {"num_parameters": 1, "init": 0.25},
    "nn.RReLU": {"lower": 1 / 8, "upper": 1 / 3},
    "nn.Embedding": {"padding_idx": None},
    "nn.LSTM": _RECURRENT,
    "nn.GRU": _RECURRENT,
    "nn.MultiheadAttention": {"dropout": 0.0, "bias": True, "batch_first": False},
    "DotProductAttention": {"dropout": 0.0, "causal": False},
    "WindowAttention": {
        "cosine": False, "qkv_bias": True, "proj_bias": True, "attention_dropout": 0.0, "dropout": 0.0,
    },
    "ChannelLayerNorm": {"eps": 1e-5, "elementwise_affine": True},
    "nn.TransformerEncoderLayer": {
        "dim_feedforward": 2048, "dropout": 0.1, "activation": "relu", "batch_first": False, "norm_first": False,
    },
    "torch.optim.SGD": {"momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False, "fused": None},
    "torch.optim.Adam": {**_ADAM, "weight_decay": 0.0},
    "torch.optim.AdamW": {**_ADAM, "weight_decay": 0.01},
    "torch.optim.RMSprop": {"alpha": 0.99, "eps": 1e-8, "weight_decay": 0.0, "momentum": 0.0, "centered": False},
    "torch.optim.Adagrad": {
        "lr_decay": 0.0, "weight_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 1e-10, "fused": None,
    },
    "torch.optim.Adadelta": {"rho": 0.9, "eps": 1e-6, "weight_decay": 0.0},
    "torch.optim.Adamax": {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0},
    "torch.optim.NAdam": {
        "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0, "momentum_decay": 0.004,
        "decoupled_weight_decay": False,
    },
    "torch.optim.RAdam": {
        "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0, "decoupled_weight_decay": False,
    },
    "torch.optim.Rprop": {"etas": (0.5, 1.2), "step_sizes": (1e-6, 50.0)},
    "torch.optim.LBFGS": {
        "max_iter": 20, "tolerance_grad": 1e-7, "tolerance_change": 1e-9, "history_size": 100, "line_search_fn": None,
    },
    "nn.CrossEntropyLoss": {"weight": None, "label_smoothing": 0.0},
    "nn.BCEWithLogitsLoss": {"pos_weight": None},
    "nn.HuberLoss": {"delta": 1.0},
}  # fmt: skip
"""Keyword defaults of torch by the callee's text; keywords absent here are always written."""

_RECORDED = "text"


def concise(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """`call(*args, **kwargs)` without the keywords that torch would assume anyway; recorded, not executed."""
    known = DEFAULTS.get(str(getattr(call, _RECORDED, "")), {})
    kept: dict[str, Any] = {key: value for key, value in kwargs.items() if not _is_default(known, key, value)}
    return call(*args, **kept)


def _is_default(known: Mapping[str, Any], key: str, value: Any) -> bool:
    # A recorded value (a tensor's name) has no truth; it is never a default.
    return key in known and not hasattr(value, _RECORDED) and bool(value == known[key])
