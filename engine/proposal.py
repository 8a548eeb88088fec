"""The learning rate that a range test proposed, kept with the project for as long as it is about the same training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

from engine.project import Project, Proposed

_RECIPE = ("data", "preprocess", "augment", "loss", "batch_size", "accumulate", "clip", "precision", "groups")


def with_proposal(project: Project, rate: float) -> Project:
    """The project with what a range test of it, as it is now, proposed."""
    return replace(project, proposed=Proposed(rate, training_key(project)))


def proposal_of(project: Project) -> float | None:
    """The proposed rate, while network and training are those that were tested; None otherwise."""
    found = project.proposed
    return found.rate if found is not None and found.key == training_key(project) else None


def training_key(project: Project) -> str:
    """Changes with whatever a good learning rate depends on: the network without its places, and how it is trained."""
    levels = [
        [
            definition,
            [[node.id, node.type, node.params, node.definition, node.repeat, node.vary, node.shares]
             for node in level.nodes.values()],
            [[edge.source, edge.output, edge.target, edge.input, edge.slot] for edge in level.edges],
        ]
        for definition, level in project.graph.levels()
    ]  # fmt: skip
    tagged = project.recipe.get("optimizer")
    optimizer = {key: value for key, value in tagged.items() if key != "lr"} if isinstance(tagged, Mapping) else tagged
    start = [project.weights.sha256] if project.weights else []
    trained = [*start, levels, project.graph.defaults, [project.recipe.get(name) for name in _RECIPE], optimizer]
    return hashlib.sha256(json.dumps(trained, sort_keys=True, default=_plain).encode()).hexdigest()[:16]


def proposal_to_json(found: Proposed) -> dict[str, Any]:
    """As it stands in the project's file."""
    return {"lr": found.rate, "for": found.key}


def proposal_from_json(data: Any) -> Proposed | None:
    """What the file says; None for nothing. ValueError when it is not of that form."""
    if data is None:
        return None
    rate = data.get("lr") if isinstance(data, Mapping) else None
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not isfinite(rate) or rate <= 0:
        raise ValueError("no positive rate")
    return Proposed(float(rate), str(data.get("for", "")))


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else list(value)
