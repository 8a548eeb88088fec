"""Every rule that needs no torch, in one list of problems, most serious first.

The rules stand in `check_graph.py` (structure and wires), `check_layers.py` (names, types, settings),
`check_groups.py` (blocks), `check_recipe.py` (how to train), `check_training.py` (callbacks and contradictions),
`check_schedule.py` (the learning rate), `check_outputs.py` (losses and targets) and `check_advice.py`. Shapes are
looked at by `engine.runtime`. Each problem has a stable code, plain words and, where there is an obvious way, fixes.
"""

from __future__ import annotations

from engine.check_advice import check_advice
from engine.check_graph import check_ends, check_level
from engine.check_groups import check_groups
from engine.check_layers import check_layers
from engine.check_outputs import check_losses, check_outputs
from engine.check_phases import check_phases
from engine.check_recipe import check_recipe
from engine.check_schedule import check_schedule
from engine.check_training import check_training
from engine.declare import catalogue
from engine.problem import Problem, Severity
from engine.project import Project

__all__ = ["check_outputs", "check_project"]

_ORDER = list(Severity)


def check_project(project: Project) -> list[Problem]:
    """Everything that can be found wrong without torch; empty when all is well."""
    graph = project.graph
    found = list(catalogue().problems)
    found += check_ends(graph)
    for definition in ("", *graph.definitions):
        found += check_level(graph, definition)
        found += check_layers(graph, definition)
    found += check_groups(graph)
    found += check_recipe(project)
    found += check_training(project)
    found += check_schedule(project)
    found += check_phases(project)
    found += check_losses(project)
    found += check_advice(project)
    return sorted(found, key=lambda problem: _ORDER.index(problem.severity))
