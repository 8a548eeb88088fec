"""The callback that writes what TensorBoard reads. The package is asked for only when training begins."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from engine.callback import TrainingView
from engine.runtime.callbacks.requests import BuiltIn

FOLDER = "tensorboard"
EVERY = 0.1
"""Seconds between two steps that are written."""


class WriteTensorBoard(BuiltIn):
    """Figures of epochs as `loss/train`, `loss/val`, `accuracy/val`; of steps as `step/loss` and `step/lr`."""

    def __init__(self) -> None:
        super().__init__()
        self._writer: Any = None

    def on_train_begin(self, view: TrainingView) -> None:
        """See `Callback`."""
        from torch.utils.tensorboard import SummaryWriter

        # What was written beyond the checkpoint that the run goes on from is hidden by the purge step.
        purge = view.step + 1 if view.step else None
        self._writer = SummaryWriter(str(view.run / FOLDER), purge_step=purge)

    def on_epoch_end(self, view: TrainingView) -> None:
        """See `Callback`."""
        for name, value in view.figures.items():
            if isinstance(value, float):
                self._writer.add_scalar(tag_of(name), value, view.step)
        self._writer.flush()

    def on_train_end(self, view: TrainingView) -> None:
        """See `Callback`."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class WriteSteps(WriteTensorBoard):
    """The same with loss and rate of steps, by time."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    def on_batch_end(self, view: TrainingView) -> None:
        """See `Callback`."""
        now = perf_counter()
        if now < self._next:
            return
        self._next = now + EVERY
        self._writer.add_scalar("step/loss", view.loss, view.step)
        self._writer.add_scalar("step/lr", view.lr, view.step)


def tag_of(figure: str) -> str:
    """`val_loss` becomes `loss/val`, so that TensorBoard shows training and validation of a figure side by side."""
    split, _, name = figure.partition("_")
    return f"{name}/{split}" if split in ("train", "val", "running") and name else f"training/{figure}"
