"""What is known about a data set without its samples: shapes, classes, counts, fingerprint.

Saved with the project, so that a project checks, shows its shapes and writes its code without its data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from engine.tensor import FLOAT, INT, TensorInfo

CLASS, BINARY, VALUE, NONE = "class", "binary", "value", "none"
_LARGEST = 2**40
"""No size or count of real data comes near it."""


@dataclass(frozen=True)
class Target:
    """One stream of answers: a class index, a yes or no, or `size` real values."""

    kind: str = CLASS
    classes: tuple[str, ...] = ()
    size: int = 1
    names: tuple[str, ...] = ()
    """Names of the values of a regression, such as the target column."""
    unit: str = ""
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    """Training set's statistics, where targets are standardised (regression): value = y * deviation + mean."""


@dataclass(frozen=True)
class DataFacts:
    """Input streams by name *after preprocessing*, target streams, number of samples per split."""

    inputs: Mapping[str, TensorInfo] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    """Samples by split: train, val, test."""
    fingerprint: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain data for the project file and `run.json`."""
        return {
            "inputs": {name: {"shape": list(info.shape), "dtype": info.dtype} for name, info in self.inputs.items()},
            "targets": {
                name: {
                    "kind": target.kind, "classes": list(target.classes), "size": target.size,
                    "names": list(target.names), "unit": target.unit,
                    "mean": list(target.mean), "deviation": list(target.deviation),
                }
                for name, target in self.targets.items()
            },
            "counts": dict(self.counts),
            "fingerprint": self.fingerprint,
            "extra": dict(self.extra),
        }  # fmt: skip

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> DataFacts:
        """The facts of plain data; KeyError, TypeError or ValueError when it is not of that form."""
        return DataFacts(
            inputs={
                str(name): TensorInfo(
                    tuple(_whole(size, 1) for size in info["shape"]), _one_of(info["dtype"], FLOAT, INT)
                )
                for name, info in data["inputs"].items()
            },
            targets={
                str(name): Target(
                    kind=_one_of(item["kind"], CLASS, BINARY, VALUE, NONE), classes=tuple(map(str, item["classes"])),
                    size=_whole(item["size"], 1), names=tuple(map(str, item.get("names", ()))),
                    unit=str(item.get("unit", "")), mean=_finite(item.get("mean", ())),
                    deviation=_finite(item.get("deviation", ())),
                )
                for name, item in data["targets"].items()
            },
            counts={str(name): _whole(count, 0) for name, count in data.get("counts", {}).items()},
            fingerprint=str(data.get("fingerprint", "")),
            extra=dict(data.get("extra", {})),
        )  # fmt: skip


def _whole(value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _LARGEST:
        raise ValueError(f"{value!r:.40} is no size")
    return value


def _one_of(value: Any, *known: str) -> str:
    if value not in known:
        raise ValueError(f"{value!r:.40} is none of {', '.join(known)}")
    return str(value)


def _finite(values: Any) -> tuple[float, ...]:
    found = tuple(map(float, values))
    if not all(map(isfinite, found)):
        raise ValueError("a statistic is not finite")
    return found
