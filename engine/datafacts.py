"""What is known about a data set without its samples: shapes, classes, counts, fingerprint.

Saved with the project, so that a project checks, shows its shapes and writes its code without its data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.tensor import TensorInfo

CLASS, BINARY, VALUE, NONE = "class", "binary", "value", "none"


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
                str(name): TensorInfo(tuple(int(size) for size in info["shape"]), str(info["dtype"]))
                for name, info in data["inputs"].items()
            },
            targets={
                str(name): Target(
                    kind=str(item["kind"]), classes=tuple(map(str, item["classes"])), size=int(item["size"]),
                    names=tuple(map(str, item.get("names", ()))), unit=str(item.get("unit", "")),
                    mean=tuple(map(float, item.get("mean", ()))),
                    deviation=tuple(map(float, item.get("deviation", ()))),
                )
                for name, item in data["targets"].items()
            },
            counts={str(name): int(count) for name, count in data.get("counts", {}).items()},
            fingerprint=str(data.get("fingerprint", "")),
            extra=dict(data.get("extra", {})),
        )  # fmt: skip
