"""How good a run is: its result's weights on a split of its data, for the command line and the window.

Owns the way from a run folder to figures. The pass over the split and the tables stand in `scoring.py`.
Never trains and changes nothing in the folder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from engine.runtime.device import choose_device, set_threads
from engine.runtime.mc import McModel
from engine.runtime.metrics import Metric, metrics_of
from engine.runtime.objective import Head
from engine.runtime.randomness import guarded
from engine.runtime.restore import load_run
from engine.runtime.scoring import Answers, Evaluation, Splits, class_table, evaluate
from engine.runtime.setup import make_heads, open_for

if TYPE_CHECKING:
    from engine.places import Places

__all__ = ["Answers", "Evaluation", "class_table", "evaluate", "evaluate_mc", "evaluate_run"]


def evaluate_run(
    run: Path, *, places: Places, split: str = "val", checkpoint: str = "", device: str | None = None,
    threads: int | None = None, mc: int = 0, seed: int = 0, **opening: Any,
) -> dict[str, Any]:  # fmt: skip
    """Figures of a run on `train`, `val` or `test`, as plain data.

    Keys: run, name, checkpoint, epoch, step, split, samples, loss, one per metric, `tables` per output that answers
    with classes (classes, confusion, per_class), `notes` in words; with `mc` passes of dropout also `mc`, which is
    what `evaluate_mc` gives. `checkpoint` "" takes the run's result. `opening`
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
        heads, metrics = make_heads(project, data, chosen), metrics_of(project.recipe)
        found = evaluate(model, data, split, heads=heads, metrics=metrics)
        many = evaluate_mc(
            model, data, split, heads=heads, metrics=metrics, passes=mc, seed=seed, where=restored.info.name
        ) if mc else {}  # fmt: skip
    return {
        "run": str(run), "name": restored.info.name, "checkpoint": restored.checkpoint, "epoch": restored.epoch,
        "step": restored.step, **found.to_json(), "notes": notes, **({"mc": many} if mc else {}),
    }  # fmt: skip


def evaluate_mc(
    model: nn.Module, data: Splits, split: str, *, heads: Sequence[Head], metrics: Sequence[Metric] = (), passes: int,
    seed: int = 0, where: str = "model", cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:  # fmt: skip
    """Figures of the mean of many passes with dropout on: passes, samples, loss, one per metric, `tables`, and
    `deviation`, the mean over samples of how far the passes lie apart (of the class that is answered; of values in
    real units the mean of all). The same seed gives the same passes; random numbers elsewhere are not touched.

    ProblemError when the network has no dropout, `Cancelled` when asked to stop.
    """
    many = McModel(model, [head.activation for head in heads], passes, where)
    watched = _Watched(many, heads)
    with guarded(seed):
        found = evaluate(watched, data, split, heads=heads, metrics=metrics, cancelled=cancelled)
    return {"passes": passes, **found.to_json(), "deviation": watched.mean()}


class _Watched(nn.Module):
    """Adds up the deviations of a model of many passes while it is evaluated."""

    def __init__(self, model: McModel, heads: Sequence[Head]) -> None:
        super().__init__()
        self.model = model
        self.training = model.training
        self._heads = heads
        self._sum, self._count = 0.0, 0

    def forward(self, *inputs: Tensor) -> Any:
        """What the model says."""
        result = self.model(*inputs)
        outputs = (result,) if isinstance(result, Tensor) else result
        for head, output, spread in zip(self._heads, outputs, self.model.deviations, strict=True):
            flat = spread.flatten(1)
            if head.activation == "softmax":
                flat = flat.gather(1, output.flatten(1).argmax(1, keepdim=True))
            elif head.activation == "none" and head.facts.deviation:
                flat = flat * flat.new_tensor(head.facts.deviation)
            self._sum, self._count = self._sum + float(flat.sum()), self._count + flat.numel()
        return result

    def mean(self) -> float:
        """The mean deviation of everything seen."""
        return self._sum / self._count if self._count else 0.0
