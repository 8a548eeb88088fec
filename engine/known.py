"""What is known of a project's data without reading it: facts found before, or what the data set's declaration says.

Facts found earlier count only while data and preprocessing are still the same: they carry a key of both.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from engine.datafacts import DataFacts
from engine.datasets.facts import known_facts
from engine.problem import ProblemError
from engine.project import Project
from engine.recipe import Recipe

_KEY = "for"


def known_data(project: Project) -> DataFacts | None:
    """Facts that fit the project's recipe as it is now; None when the data must be read first."""
    if project.data is not None and project.data.extra.get(_KEY, "") == data_key(project.recipe):
        return project.data
    try:
        return known_facts(project.recipe)
    except ProblemError:
        return None


def with_facts(project: Project, facts: DataFacts) -> Project:
    """The project with facts that were just found for its recipe."""
    marked = replace(facts, extra={**facts.extra, _KEY: data_key(project.recipe)})
    return replace(project, data=marked)


def data_key(recipe: Recipe) -> str:
    """Changes with whatever decides shapes, classes and statistics: the data's settings and the preprocessing."""
    text = json.dumps([recipe.get("data"), recipe.get("preprocess")], sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
