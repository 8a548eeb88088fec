"""How good a run is: its result's weights on a split of its data, for the command line and the window.

Owns the way from a run folder to figures. The pass over the split and the tables stand in `scoring.py`.
Never trains and changes nothing in the folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.runtime.device import choose_device, set_threads
from engine.runtime.metrics import metrics_of
from engine.runtime.restore import load_run
from engine.runtime.scoring import Answers, Evaluation, class_table, evaluate
from engine.runtime.setup import make_heads, open_for

if TYPE_CHECKING:
    from engine.places import Places

__all__ = ["Answers", "Evaluation", "class_table", "evaluate", "evaluate_run"]


def evaluate_run(
    run: Path, *, places: Places, split: str = "val", checkpoint: str = "", device: str | None = None,
    threads: int | None = None, **opening: Any,
) -> dict[str, Any]:  # fmt: skip
    """Figures of a run on `train`, `val` or `test`, as plain data.

    Keys: run, name, checkpoint, epoch, step, split, samples, loss, one per metric, `tables` per output that answers
    with classes (classes, confusion, per_class), `notes` in words. `checkpoint` "" takes the run's result. `opening`
    goes to `open_data`. ProblemError when run, checkpoint, data or split cannot be used.
    """
    restored = load_run(run, checkpoint)
    chosen = choose_device(device or "auto")
    set_threads(threads)
    project = restored.project
    notes = []
    if restored.differs:
        notes.append("The code generated today differs from the recorded model.py; weights fit by name and shape")
    with open_for(project, places, device=chosen, **opening) as data:
        if restored.info.fingerprint and restored.info.fingerprint != data.facts.fingerprint:
            notes.append("The data is not the data this run was trained on")
        model = restored.model.to(chosen)
        found = evaluate(
            model, data, split, heads=make_heads(project, data, chosen), metrics=metrics_of(project.recipe)
        )
    return {
        "run": str(run), "name": restored.info.name, "checkpoint": restored.checkpoint, "epoch": restored.epoch,
        "step": restored.step, **found.to_json(), "notes": notes,
    }  # fmt: skip
