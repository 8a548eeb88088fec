"""Facts of a data set: shapes after preprocessing, counts per split, fingerprint. Never imports torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.datafacts import DataFacts
from engine.datasets.raw import IMAGE, TOKENS, Part, Raw, StreamInfo
from engine.datasets.split import split_sizes
from engine.problem import ProblemError, Where, error
from engine.tensor import INT, TensorInfo

if TYPE_CHECKING:
    # The recipe's own declarations load the catalogue, which imports this package.
    from engine.recipe import Recipe


def settings_of(recipe: Recipe, name: str) -> Any:
    """The declared object of a recipe's setting (`data`, `preprocess`); ProblemError when it is not valid."""
    try:
        return recipe.made(name)
    except ValueError as fault:
        where = Where(label=name, path=f"recipe.{name}")
        raise ProblemError(
            error(where, str(fault), "A known name with allowed settings", f"Mend recipe.{name}")
        ) from None


def known_facts(recipe: Recipe) -> DataFacts | None:
    """Facts that need no reading (digits, torchvision's and drawn sets); None where a file must be read first.

    The fingerprint is empty, because the samples were not looked at. ProblemError when a setting is not valid.
    """
    settings = settings_of(recipe, "data")
    described = settings.describe()
    if described is None:
        return None
    preprocess = settings_of(recipe, "preprocess")
    return DataFacts(
        inputs={name: shape_after(stream, preprocess) for name, stream in described.streams.items()},
        targets=described.targets,
        counts=split_sizes(described.sizes, settings),
        extra=_with_streams({}, described.streams),
    )


def facts_of(raw: Raw, preprocess: Any) -> DataFacts:
    """Facts of a set that was read."""
    return DataFacts(
        inputs={name: shape_after(stream, preprocess) for name, stream in raw.streams.items()},
        targets=raw.targets,
        counts={name: len(part) for name, part in raw.parts.items()},
        fingerprint=raw.fingerprint,
        extra=_with_streams(raw.extra, raw.streams),
    )


def shape_after(stream: StreamInfo, preprocess: Any) -> TensorInfo:
    """What one sample of a stream looks like after preprocessing."""
    if stream.kind == TOKENS:
        return TensorInfo(stream.shape, INT)
    if stream.kind != IMAGE:
        return TensorInfo(stream.shape)
    channels, height, width = stream.shape
    if preprocess.resize is not None:
        size = preprocess.resize
        height, width = size if isinstance(size, tuple) else (size, size)
    return TensorInfo((_channels_after(channels, preprocess.color), height, width))


def raw_streams(facts: DataFacts) -> dict[str, StreamInfo]:
    """The input streams before preprocessing, as the facts of a data set keep them: what a prediction is given."""
    return {
        str(name): StreamInfo(
            str(item["kind"]), tuple(map(int, item["shape"])), float(item["top"]), tuple(map(str, item["names"]))
        )
        for name, item in facts.extra.get("streams", {}).items()
    }


def _with_streams(extra: Mapping[str, Any], streams: Mapping[str, StreamInfo]) -> dict[str, Any]:
    plain = {
        name: {"kind": item.kind, "shape": list(item.shape), "top": item.top, "names": list(item.names)}
        for name, item in streams.items()
    }
    return {**extra, "streams": plain}


def _channels_after(channels: int, color: str) -> int:
    if color == "keep":
        return channels
    if channels not in (1, 3):
        raise ProblemError(
            error(
                Where(label="preprocess", path="recipe.preprocess.color"),
                f"Images of {channels} channels cannot be turned into {color}.",
                "Images of one channel (grey) or three (red, green, blue)",
                "Set recipe.preprocess.color to keep",
                code="data-channels",
            )
        )
    return 1 if color == "grey" else 3


def fingerprint(parts: Mapping[str, Part], extra: Mapping[str, Any] | None = None) -> str:
    """SHA-256 over shapes, types and bytes of every array (names and sizes where samples stay in files) of every split.

    The division is part of it: the same samples divided differently give another fingerprint.
    """
    digest = hashlib.sha256()
    for split, part in parts.items():
        for role, streams in (("input", part.inputs), ("target", part.targets)):
            for name, values in streams.items():
                digest.update(f"{split}/{role}/{name}/".encode())
                if isinstance(values, np.ndarray):
                    digest.update(f"{values.dtype.str}{values.shape}".encode())
                    digest.update(np.ascontiguousarray(values).data.cast("B") if values.size else b"")
                else:
                    digest.update(values.listing())
    if extra:
        digest.update(json.dumps(extra, sort_keys=True, default=str).encode())
    return digest.hexdigest()
