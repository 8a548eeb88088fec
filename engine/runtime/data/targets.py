"""Answers as losses want them: class numbers, yes or no, or standardised values. Never looks at inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.datafacts import BINARY, CLASS, NONE, VALUE, Target
from engine.datasets.raw import Array, Raw
from engine.problem import ProblemError, Where, error


@dataclass(frozen=True)
class Wanted:
    """One target stream in the form that batches hold it."""

    name: str
    target: Target

    def tensor(self, answers: Array) -> Tensor:
        """Raw answers of one split -> int64 (N,) for classes, float32 (N, 1) or (N, classes) for yes or no,
        float32 (N, size) for values, standardised where the target holds statistics.
        """
        if self.target.kind == CLASS:
            return torch.from_numpy(answers.astype(np.int64))
        if self.target.kind == BINARY:
            labels = torch.from_numpy(answers.astype(np.int64))
            if len(self.target.classes) > 2:
                return functional.one_hot(labels, len(self.target.classes)).to(torch.float32)
            return labels.to(torch.float32)[:, None]
        values = answers.astype(np.float64).reshape(len(answers), -1)
        if self.target.mean:
            values = (values - np.array(self.target.mean)) / np.array(self.target.deviation)
        return torch.from_numpy(values.astype(np.float32))


def wanted_targets(
    raw: Raw, names: Sequence[str], forms: Sequence[str] | Mapping[str, str] | None
) -> tuple[Wanted, ...]:
    """The target streams in order, each in the form its loss asked for (its own form where nothing was asked)."""
    first = next(iter(raw.targets), "")
    asked = {name or first: form for name, form in forms.items()} if isinstance(forms, Mapping) else {}
    found = []
    for name in names:
        own = raw.targets[name]
        if own.kind != NONE:
            found.append(Wanted(name, _as_asked(name, own, asked.get(name) or own.kind)))
    return tuple(found)


def _as_asked(name: str, own: Target, form: str) -> Target:
    if form == own.kind:
        return own
    if form == BINARY and own.kind == CLASS:
        return replace(own, kind=BINARY, size=1 if len(own.classes) == 2 else len(own.classes))
    words = {CLASS: "classes", BINARY: "yes or no", VALUE: "values"}
    raise ProblemError(
        error(
            Where(label=f"target {name}", path="recipe.loss"),
            f"The loss wants {words.get(form, form)}, but the data answers with {words.get(own.kind, own.kind)}.",
            f"A loss for {words.get(own.kind, own.kind)}",
            "Choose cross-entropy for classes, mean squared or absolute error for values",
            code="data-target-form",
        )
    )
