"""How to train, as values only: data, preprocessing, loss, optimizer, schedule, clipping, epochs, seed, device.

Each choice among declarations is a tagged value, {"type": "sgd", "lr": 0.01}. The recipe's own settings are declared
like everything else, so the form, the command line's `--set` and the file derive from this one place.
Never holds a tensor and never trains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.declare import find, make, record
from engine.param import Size, Tagged, param


@record("recipe", title="Recipe")
class RecipeSettings:
    """What is trained on, towards what, and how."""

    data: Tagged = param(default={"type": "digits"}, of="dataset", help="Where the samples come from")
    preprocess: Tagged = param(
        default={"type": "preprocess"}, of="record", help="What happens to every sample; leaves with the model"
    )
    augment: Any = param(
        default=(), kind="list", of="augment", help="Random changes of training samples, in order; never of others"
    )
    loss: Tagged = param(default={"type": "cross_entropy"}, of="loss", help="What training makes small")
    metrics: Any = param(
        default=({"type": "accuracy"},), kind="list", of="metric", help="Figures shown beside the loss"
    )
    optimizer: Tagged = param(default={"type": "sgd"}, of="optimizer", help="How the weights follow their gradients")
    decay_exempt: str = param(
        default="none", choices=("none", "biases_and_norms"),
        help="What weight decay leaves alone. biases_and_norms: every vector, that is biases, factors and shifts "
        "of normalisation and learned slopes, and the lengths of weight norm, which decay only harms",
    )  # fmt: skip
    groups: Any = param(
        default=(), kind="list", of="param_group",
        help="Layers that train at a rate or with a decay of their own; each layer belongs to one group at most",
    )  # fmt: skip
    frozen: str = param(
        default="",
        help="Layers that do not train: paths as the code has them, separated by commas, such as conv1, layer1.*; a "
        "block counts with all that is in it",
    )  # fmt: skip
    frozen_norms: str = param(
        default="held", choices=("held", "updating"),
        help="Batch norms of frozen layers. held: they keep their running averages and normalise by them, as while "
        "predicting; updating: only factor and shift are frozen, and the averages go on following the data",
    )  # fmt: skip
    phases: Any = param(
        default=(), kind="list", of="phase",
        help="Stretches of the training, one after the other, with layers frozen and rates of their own. Their epochs "
        "then count in place of `epochs`",
    )  # fmt: skip
    schedule: Tagged = param(default={"type": "constant"}, of="schedule", help="How the learning rate changes")
    momentum_rescale: bool = param(
        default=False, advanced=True,
        help="Let velocities of momentum keep the learning rate they were made with, as in Keras: at each change they "
        "are multiplied by old rate / new rate. PyTorch's follow the new rate at once. Same at a constant rate",
    )  # fmt: skip
    clip: Tagged = param(default={"type": "none"}, of="clip", help="How large gradients are cut back")
    epochs: int = param(default=10, min=1, max=100_000, help="How often training goes through all training samples")
    batch_size: int = param(default=32, min=1, max=1_000_000, unit="samples", help="Samples per batch")
    accumulate: int = param(
        default=1, min=1, max=10_000, unit="batches",
        help="Batches per optimizer step: their mean gradient is that of one large batch, without its memory. Losses "
        "that weigh classes are averaged batch by batch",
    )  # fmt: skip
    sampler: str = param(
        default="shuffle", choices=("shuffle", "balanced"),
        help="shuffle: every training sample once per epoch; balanced: as many draws with replacement, each class "
        "equally likely however rare it is",
    )  # fmt: skip
    seed: int = param(default=0, min=0, max=2**31 - 1, help="Start of all random numbers but the split's")
    device: str = param(
        default="auto", choices=("auto", "cpu", "cuda", "mps"), also=(r"cuda:\d{1,2}", "cuda:N"),
        help="Where it runs; auto takes a GPU if there is one, cuda:1 the second of several",
    )  # fmt: skip
    precision: str = param(
        default="float32", choices=("float32", "bf16", "fp16"),
        help="Numbers of the forward pass while training; weights and evaluation stay float32. fp16 scales the loss so "
        "that small gradients survive, and needs a GPU",
    )  # fmt: skip
    ema: Tagged = param(default={"type": "ema"}, of="record", help="A moving average of the weights beside them")
    callbacks: Any = param(
        default=(), kind="list", of="callback", help="What else happens while training: checkpoints, logs, alerts"
    )
    train_figures: str = param(
        default="running", choices=("running", "evaluated"),
        help="What train_loss and its like mean. running: the mean over the epoch while the weights move, dropout on, "
        "penalties in; evaluated: the training set once more at the epoch's end, as validation is. The running "
        "figures then go on as running_loss and running_accuracy",
    )  # fmt: skip
    early_stopping: Tagged = param(
        default={"type": "early_stopping"}, of="record", help="Stop when validation no longer improves"
    )
    gradient_flow: bool = param(default=True, help="Record how strongly gradients reach each layer, on sampled steps")
    activations: bool = param(
        default=True, help="Record what the layers give at ends of epochs: mean, spread, histogram, units that are dead"
    )


@record("early_stopping", title="Early stopping")
class EarlyStopping:
    """Stops when the monitored figure has not improved for `patience` epochs, and can go back to the best weights."""

    enabled: bool = param(default=False, help="Stop before the planned epochs are over")
    monitor: str = param(default="val_loss", help="The figure that decides what is best: val_loss, val_accuracy, ...")
    patience: int = param(default=10, min=1, max=100_000, unit="epochs", help="Epochs without improvement to wait")
    min_delta: float = param(default=0.0, min=0.0, help="Smaller improvements do not count")
    restore_best: bool = param(default=True, help="The run's result is its best checkpoint, not its last")


@record("ema", title="Averaged weights")
class AveragedWeights:
    """Keeps an exponential moving average of the weights: after each step, average = decay * average + (1 - decay) *
    weights. It wanders less than the weights themselves, and often does better. Running statistics are copied.
    """

    enabled: bool = param(default=False, help="Keep the average; costs one more copy of the weights")
    decay: float = param(
        default=0.999,
        min=0.0,
        max=0.999999,
        help="How slowly the average follows: it spans about 1 / (1 - decay) steps",
    )
    warmup: bool = param(
        default=True,
        help="Begin faster: the decay of step t is at most (1 + t) / (10 + t), so that the start is forgotten",
    )
    use: bool = param(
        default=True,
        help="Validation, the best checkpoint, evaluation and exports take the average, not the last weights",
    )


@record("preprocess", title="Preprocessing")
class Preprocess:
    """What happens to every sample before the model sees it; part of what is exported."""

    scale: str = param(
        default="unit", choices=("unit", "none"), help="unit: pixel values 0 to 1; none: as they are in the data"
    )
    standardize: str = param(
        default="none",
        choices=("none", "feature", "channel"),
        help="Subtract the training set's mean and divide by its deviation, per feature (pixel, column) or per channel",
    )
    resize: Size | None = param(default=None, min=1, max=4_096, unit="px", help="Size of images; none keeps it")
    color: str = param(default="keep", choices=("keep", "grey", "rgb"), help="Turn images grey or into three channels")


@dataclass(frozen=True)
class Recipe:
    """The values of `RecipeSettings` that differ from their defaults, canonical. Unknown types are kept."""

    values: Mapping[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """A setting, its default when not set. KeyError when there is no such setting."""
        return self.values.get(name, SETTINGS.by_name[name].default)

    def made(self, name: str) -> Any:
        """The declared object of a tagged setting, with its settings as attributes; ValueError when it is not valid."""
        tagged, param_ = self.get(name), SETTINGS.by_name[name]
        if not isinstance(tagged, Mapping):
            raise ValueError(f"{name} is not {param_.domain}")
        if param_.of == "record" and tagged.get("type") != param_.default["type"]:
            raise ValueError(f"{name} cannot be {tagged.get('type')!r}")
        return make(param_.of, tagged)

    def listed(self, name: str) -> list[Any]:
        """The declared objects of a list setting (`augment`, `metrics`, `callbacks`)."""
        items, param_ = self.get(name), SETTINGS.by_name[name]
        if not isinstance(items, (list, tuple)) or not all(isinstance(item, Mapping) for item in items):
            raise ValueError(f"{name} is not {param_.domain}")
        return [make(param_.of, tagged) for tagged in items]

    def with_value(self, name: str, value: Any) -> Recipe:
        """A recipe with one setting replaced; ValueError says what is allowed."""
        param_ = SETTINGS.by_name[name]
        values = {**self.values, param_.name: param_.clean(value)}
        return Recipe({key: item for key, item in values.items() if item != SETTINGS.by_name[key].default})

    @property
    def epochs(self) -> int:
        """Planned epochs, of all phases where there are any."""
        phases = self.get("phases")
        return sum(int(make("phase", item).epochs) for item in phases) if phases else int(self.get("epochs"))

    @property
    def batch_size(self) -> int:
        """Samples per batch; `accumulate` batches make an optimizer step."""
        return int(self.get("batch_size"))

    @property
    def seed(self) -> int:
        """Seed of weights, order and augmentation; the split has its own."""
        return int(self.get("seed"))


_found = find("record", "recipe")
assert _found is not None
SETTINGS = _found
