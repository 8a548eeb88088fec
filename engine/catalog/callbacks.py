"""Callbacks: what else happens while a training runs. What each does stands in `engine.runtime.callbacks`.

They watch and may save, notify or stop; nothing else of a training changes. Early stopping and learning-rate
control have settings of their own.
"""

from __future__ import annotations

from engine.declare import callback
from engine.param import param

_FIGURE = "A figure of an epoch: val_loss, val_accuracy, train_loss, ..."


@callback("checkpoint", title="Checkpoint", search=("save", "ModelCheckpoint"))
class Checkpoint:
    """Saves checkpoints under names of their own, besides the last and the best that every run keeps: every so many
    epochs, or whenever a figure is the best so far. Each can be evaluated, exported and gone on from by
    `--checkpoint NAME`.
    """

    every: int = param(default=1, min=0, max=100_000, unit="epochs", help="Save after so many epochs; 0: only the best")
    best: bool = param(default=False, help="Save when the monitored figure is the best so far, as best-FIGURE")
    monitor: str = param(default="val_loss", shown_if=("best", (True,)), help=_FIGURE)
    keep: int = param(
        default=5, min=0, max=100_000, help="How many of the regular ones stay, the newest; 0: all of them"
    )


@callback("csv_log", title="CSV log", search=("CSVLogger", "table", "excel"))
class CsvLog:
    """Writes the figures of every epoch into metrics.csv in the run's folder: one row per epoch, one column per
    figure. A run that goes on appends to it; rows beyond the checkpoint it goes on from are written anew.
    """

    separator: str = param(
        default="comma", choices=("comma", "semicolon", "tab"), help="What stands between columns; some spreadsheets "
        "want a semicolon",
    )  # fmt: skip


@callback("tensorboard", title="TensorBoard", search=("SummaryWriter", "logging"))
class TensorBoard:
    """Writes what TensorBoard reads into the folder tensorboard of the run: figures of epochs, rate and sampled losses
    of steps. Needs the package tensorboard, which is not installed by itself.
    """

    steps: bool = param(default=True, help="Loss and learning rate within epochs too, ten times a second at most")


@callback("alert", title="Alert", search=("threshold", "notify", "stop"))
class Alert:
    """Watches one figure at the end of each epoch and acts when it lies beyond a value: says so, stops the training,
    or saves a checkpoint.
    """

    figure: str = param(default="val_loss", help=_FIGURE)
    when: str = param(default="below", choices=("below", "above"), help="On which side of the value it acts")
    value: float = param(default=0.1, min=-1e12, max=1e12, help="The threshold; a figure equal to it does not act")
    then: str = param(
        default="notify", choices=("notify", "stop", "save"),
        help="notify: say it; stop: end the training with everything saved; save: a checkpoint named after the epoch",
    )  # fmt: skip
    repeat: bool = param(default=False, help="Act at every epoch that lies beyond; otherwise only at the first one")


@callback("plugin", title="Own callback", search=("plug-in", "custom", "python"))
class Plugin:
    """Runs a callback class of your own from a Python file in your plug-in folder. `main.py plugins` lists what is
    there; a project names the class only and can never bring code along.
    """

    name: str = param(default="", help="Name of the class, as `main.py plugins` lists it")
    settings: str = param(
        default="", help='Arguments of its constructor as JSON, such as {"every": 5}; empty: its own defaults'
    )
