"""Ways to train a network whose layers were trained before: what each freezes, when it lets go, and at which rates.

Each is a few settings of the recipe (`frozen`, `phases`, `groups`) for the network at hand. Knows no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.analysis import Analysis
from engine.freezing import written
from engine.last_layers import last_layers
from engine.project import Project

UNFREEZING = 0.1
"""What the rate is multiplied by when layers are let go: what was learned must not be destroyed by large steps."""
RAMP = 2.6
"""How much slower each block learns than the one above it (Howard & Ruder 2018, ULMFiT)."""
MOST_PHASES = 5


@dataclass(frozen=True)
class Strategy:
    """A way to train: its name, what it does in a sentence, and the settings for a network."""

    id: str
    title: str
    help: str
    settings: Callable[[Project, Analysis], dict[str, Any]]


def apply_strategy(project: Project, analysis: Analysis, strategy: Strategy) -> Project:
    """The project trained in another way; all else stays."""
    recipe = project.recipe
    for name, value in {"frozen": "", "phases": (), "groups": (), **strategy.settings(project, analysis)}.items():
        recipe = recipe.with_value(name, value)
    return project.with_recipe(recipe)


def _all(_project: Project, _analysis: Analysis) -> dict[str, Any]:
    return {}


def _features(project: Project, analysis: Analysis) -> dict[str, Any]:
    return {"frozen": _body(project, analysis)}


def _then_all(project: Project, analysis: Analysis) -> dict[str, Any]:
    epochs = int(project.recipe.get("epochs"))
    first = max(1, epochs // 4)
    return {"phases": (
        _phase("head", first, _body(project, analysis)), _phase("all", max(1, epochs - first), "", UNFREEZING),
    )}  # fmt: skip


def _gradual(project: Project, analysis: Analysis) -> dict[str, Any]:
    layers = _layers(analysis)
    blocks = _blocks(layers)
    count = min(MOST_PHASES, len(blocks))
    each = max(1, int(project.recipe.get("epochs")) // max(1, count))
    phases = []
    for place in range(count):
        # From the top: the last block trains alone, then one more each time; the last phase trains all.
        kept = 0 if place == count - 1 else len(blocks) - 1 - place
        frozen = [path for block in blocks[:kept] for path in block]
        name = "all" if not kept else f"{len(blocks) - kept} of {len(blocks)} blocks"
        phases.append(_phase(name, each, written(frozen, layers), 1.0 if not place else 0.5))
    return {"phases": tuple(phases)}


def _ramp(project: Project, analysis: Analysis) -> dict[str, Any]:
    blocks = _blocks(_layers(analysis))
    groups = [
        {"type": "group", "layers": block[0].split(".")[0], "lr_factor": round(RAMP ** -(len(blocks) - 1 - place), 6)}
        for place, block in enumerate(blocks[:-1])
    ]
    return {"groups": tuple(groups)}


def _layers(analysis: Analysis) -> list[str]:
    return [path for path in analysis.layers if path not in analysis.parts]


def _body(project: Project, analysis: Analysis) -> str:
    """All layers but those that give the answer, as a setting."""
    layers = _layers(analysis)
    last = last_layers(project.graph, layers)
    return written([path for path in layers if path not in last], layers)


def _blocks(layers: Sequence[str]) -> list[list[str]]:
    """Layers by the outermost block that they stand in, input side first."""
    found: dict[str, list[str]] = {}
    for path in layers:
        found.setdefault(path.split(".")[0], []).append(path)
    return list(found.values())


def _phase(name: str, epochs: int, frozen: str, factor: float = 1.0) -> dict[str, Any]:
    made = {"type": "phase", "name": name, "epochs": epochs, "frozen": frozen}
    return made if factor == 1.0 else {**made, "lr_factor": factor}


STRATEGIES: tuple[Strategy, ...] = (
    Strategy("all", "Train all layers", "Every layer trains from the first step, in one phase.", _all),
    Strategy("features", "Feature extraction", "All but the last layer stay frozen: with few samples and a similar "
             "task this is often best.", _features),
    Strategy("freeze_then_all", "Freeze, then unfreeze all", "A quarter of the epochs for the last layer alone, then "
             "all layers at a tenth of the rate.", _then_all),
    Strategy("gradual", "Unfreeze block by block", "From the top one block more in each phase, each at half the rate "
             "of the one before.", _gradual),
    Strategy("discriminative", "Slower towards the input", "All train; each block 2.6 times slower than the one above "
             "it.", _ramp),
)  # fmt: skip
