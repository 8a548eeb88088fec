"""The part of a training script that brings the samples: `load_data()`, in the very order and split of the training.

Owns which data sets can be written so, and how. Reading of what Layerwright prepares in ways that no few lines can
repeat is refused with a Problem, never approximated. Knows no torch; what is written is tried where it is exported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.datafacts import BINARY, CLASS, VALUE, DataFacts, Target
from engine.datasets.facts import raw_streams
from engine.datasets.raw import IMAGE, TOKENS, StreamInfo
from engine.datasets.split import split_sizes
from engine.expr import quoted
from engine.problem import Problem, ProblemError, Where, error
from engine.project import Project
from engine.source_ends import Ends
from engine.source_parts import bracketed
from engine.standalone_inputs import Preparing


@dataclass
class Reading:
    """Lines of `load_data`, imports and helper functions that they need, and in words what must be installed."""

    lines: list[str] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    functions: list[str] = field(default_factory=list)
    needs: str = ""
    argument: str = ""
    """A parameter of `load_data` with its default: where the files lie."""
    size: int = 0
    """Samples to be divided."""


@dataclass(frozen=True)
class Names:
    """The script's variables: one per input of the model, one per target stream."""

    inputs: tuple[str, ...]
    streams: tuple[str, ...]
    """The stream of each input."""
    targets: tuple[str, ...]
    target_streams: tuple[str, ...]

    @staticmethod
    def of(ends: Ends) -> Names:
        """`x` and `y`, numbered where there are several."""
        streams = tuple(end.stream for end in ends.inputs)
        wanted = tuple(dict.fromkeys(end.target for end in ends.outputs))
        return Names(_numbered("x", len(streams)), streams, _numbered("y", len(wanted)), wanted)

    @property
    def all(self) -> tuple[str, ...]:
        """Inputs, then targets: the order of a split's tensors."""
        return (*self.inputs, *self.targets)


def _numbered(letter: str, count: int) -> tuple[str, ...]:
    return (letter,) if count == 1 else tuple(f"{letter}{place}" for place in range(1, count + 1))


def load_lines(
    project: Project, data: DataFacts, ends: Ends, steps: list[Preparing], *, forms: Mapping[str, str],
    raw_inputs: bool,
) -> tuple[list[str], Reading]:  # fmt: skip
    """The function `load_data`, and what it needs. `forms` says per target stream which form its loss wants.

    With `raw_inputs` samples are kept as they are, to be augmented and prepared batch by batch. ProblemError for a
    data set that cannot be written so.
    """
    settings = project.recipe.made("data")
    kind = str(project.recipe.get("data")["type"])
    names = Names.of(ends)
    streams = raw_streams(data)
    write = _READERS.get(kind) or (_torchvision if hasattr(settings, "torchvision") else None)
    if write is None:
        raise ProblemError(unwritable(f"the data set {kind}"))
    reading = write(settings, names, streams, data)
    body = [*reading.lines, *_target_lines(names, data, forms), *_split_lines(settings, reading)]
    if not raw_inputs:
        body += _prepare_lines(names, ends, steps, streams, project)
    apart = [split for split in ("train", "val") if data.counts.get(split)]
    lines = [
        f"def load_data({reading.argument}) -> dict[str, tuple[Tensor, ...]]:",
        f'    """Samples by split: {_words(names)}."""',
        *(f"    {line}" if line else "" for line in body),
        "    return {",
    ]
    for split in apart:
        taken = ", ".join(f"{name}[{split}]" for name in names.all)
        lines.append(f'        "{split}": ({taken}),')
    return [*lines, "    }"], reading


def unwritable(what: str) -> Problem:
    """The problem of something that no script repeats."""
    return error(
        Where(label="script"), f"A training script cannot be written for {what}",
        "What a script of a few lines can repeat exactly", "Export the Python file: the model without its training",
        code="export-script",
    )  # fmt: skip


def _words(names: Names) -> str:
    return f"{' and '.join(names.inputs)} as the model takes them, {' and '.join(names.targets)}"


def _stream_variable(names: Names, stream: str) -> str:
    return names.inputs[names.streams.index(stream)]


def _aliases(names: Names) -> list[str]:
    """Inputs that read a stream which an input before them reads too."""
    return [
        f"{name} = {_stream_variable(names, stream)}"
        for name, stream in zip(names.inputs, names.streams, strict=True)
        if _stream_variable(names, stream) != name
    ]


def _digits(settings: Any, names: Names, streams: Mapping[str, StreamInfo], data: DataFacts) -> Reading:
    lines = ["digits = load_digits()"]
    if "x" in names.streams:
        shape = ", ".join(map(str, (-1, *streams["x"].shape)))
        name = _stream_variable(names, "x")
        lines.append(f'{name} = torch.from_numpy(digits.data.astype("uint8")).view({shape})')
    if "sums" in names.streams:
        lines += [
            "sums = np.concatenate([digits.images.sum(2), digits.images.sum(1)], 1)",
            f"{_stream_variable(names, 'sums')} = torch.from_numpy(sums).float()",
        ]
    lines += [*_aliases(names), f"{names.targets[0]} = torch.from_numpy(digits.target)"]
    return Reading(
        lines, {"from sklearn.datasets import load_digits"}, needs="scikit-learn, which brings the digits", size=1_797
    )


def _drawn(settings: Any, names: Names, streams: Mapping[str, StreamInfo], data: DataFacts) -> Reading:
    count = settings.classes if settings.curve == "spirals" else 2
    shares = [settings.samples // count + (place < settings.samples % count) for place in range(count)]
    lines = [f"random = np.random.default_rng([{settings.split_seed}, 0x5EED])"]
    if settings.curve == "moons":
        lines += [
            f"first, second = np.linspace(0, np.pi, {shares[0]}), np.linspace(0, np.pi, {shares[1]})",
            "curves = [",
            "    np.stack([np.cos(first), np.sin(first)], 1),",
            "    np.stack([1 - np.cos(second), 0.5 - np.sin(second)], 1),",
            "]",
        ]
    elif settings.curve == "circles":
        lines += ["curves = []", f"for count, radius in (({shares[0]}, 1.0), ({shares[1]}, {settings.factor!r})):",
                  "    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)",
                  "    curves.append(radius * np.stack([np.cos(turn), np.sin(turn)], 1))"]  # fmt: skip
    else:
        lines += [
            "curves = []", f"for arm, count in enumerate({tuple(shares)!r}):",
            "    along = np.linspace(0.05, 1.0, count)",
            f"    angle = 2 * np.pi * ({settings.turns!r} * along + arm / {count})",
            "    curves.append(along[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1))",
        ]  # fmt: skip
    name = names.inputs[0]
    lines += [
        "points = np.concatenate(curves)",
        "labels = np.repeat(np.arange(len(curves)), [len(curve) for curve in curves])",
        f"points = points + random.normal(0.0, 1.0, points.shape) * {settings.noise!r}",
        "mixed = random.permutation(len(points))",
        f"{name} = torch.from_numpy(points[mixed]).float()",
        *_aliases(names),
        f"{names.targets[0]} = torch.from_numpy(labels[mixed])",
    ]
    return Reading(lines, size=settings.samples)


def _torchvision(settings: Any, names: Names, streams: Mapping[str, StreamInfo], data: DataFacts) -> Reading:
    if settings.chosen() or settings.layout == "svhn" or settings.torchvision == "EMNIST":
        words = "some classes of a set alone" if settings.chosen() else settings.torchvision
        raise ProblemError(unwritable(words))
    name, target = names.inputs[0], names.targets[0]
    made = f"datasets.{settings.torchvision}(folder, train=True, download=True)"
    if settings.layout == "cifar":
        lines = [
            f"found = {made}",
            f"{name} = torch.from_numpy(found.data.transpose(0, 3, 1, 2).copy())",
            *_aliases(names),
            f"{target} = torch.tensor(found.targets)",
        ]
    else:
        lines = [f"found = {made}", f"{name} = found.data[:, None]", *_aliases(names), f"{target} = found.targets"]
    return Reading(
        lines, {"from torchvision import datasets"}, needs="torchvision", argument='folder: str = "data"',
        size=settings.num_samples()[0],
    )  # fmt: skip


def _table(settings: Any, names: Names, streams: Mapping[str, StreamInfo], data: DataFacts) -> Reading:
    table: Any = data.extra["table"]
    target = data.targets["y"]
    column = quoted(str(table["target"]))
    delimiter = {"auto": ",", "comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}[settings.delimiter]
    if settings.header == "no":
        raise ProblemError(unwritable("a table without names of columns"))
    more = "" if delimiter == "," else f", delimiter={delimiter!r}"
    lines = [
        'with open(file, newline="", encoding="utf-8-sig") as stream:',
        f"    rows = list(csv.DictReader(stream{more}))",
    ]
    if settings.missing_target == "skip":
        lines.append(f"rows = [row for row in rows if row[{column}].strip().lower() not in GAPS]")
    lines += [f"{names.inputs[0]} = encode(rows)", *_aliases(names)]
    if target.kind == VALUE:
        lines.append(f"{names.targets[0]} = torch.tensor([float(row[{column}]) for row in rows], dtype=torch.float64)")
    else:
        lines.append(f"{names.targets[0]} = torch.tensor([CLASSES.index(row[{column}].strip()) for row in rows])")
    return Reading(
        lines, {"import csv"}, argument=f"file: str = {quoted(str(settings.path))}", size=sum(data.counts.values())
    )


def _arrays(settings: Any, names: Names, streams: Mapping[str, StreamInfo], data: DataFacts) -> Reading:
    stream, target = streams["x"], data.targets["y"]
    form = "long" if stream.kind == TOKENS else ""
    lines = ["with np.load(file) as found:"]
    name, answers = names.inputs[0], names.targets[0]
    kind = "float64" if target.kind == VALUE else "int64"
    lines += [
        "    arrays = {name: found[name] for name in found.files}",
        f'{name} = torch.from_numpy(arrays["x"]).view({", ".join(map(str, (-1, *stream.shape)))})'
        + (f".{form}()" if form else ""),
        *_aliases(names),
        f'{answers} = torch.from_numpy(arrays["y"].astype("{kind}"))',
    ]
    return Reading(lines, argument=f"file: str = {quoted(str(settings.path))}", size=sum(data.counts.values()))


_READERS: Mapping[str, Callable[[Any, Names, Mapping[str, StreamInfo], DataFacts], Reading]] = {
    "digits": _digits, "moons": _drawn, "circles": _drawn, "spirals": _drawn, "csv": _table, "npz": _arrays,
}  # fmt: skip


def _target_lines(names: Names, data: DataFacts, forms: Mapping[str, str]) -> list[str]:
    """Answers in the form that their losses want."""
    lines = []
    for name, stream in zip(names.targets, names.target_streams, strict=True):
        target: Target = data.targets[stream]
        form = forms.get(stream) or target.kind
        if form == CLASS:
            continue
        if form == BINARY:
            many = len(target.classes) > 2
            made = f"F.one_hot({name}, {len(target.classes)}).float()" if many else f"{name}.float()[:, None]"
            lines.append(f"{name} = {made}")
            continue
        shaped = f"{name}.double().view(len({name}), -1)"
        if not target.mean:
            lines.append(f"{name} = {shaped}.float()")
            continue
        mean, deviation = (_numbers(values) for values in (target.mean, target.deviation))
        lines.append(f"{name} = (({shaped} - {mean}) / {deviation}).float()")
    return lines


def _numbers(values: tuple[float, ...]) -> str:
    if len(values) == 1:
        return repr(values[0])
    return f"torch.tensor([{', '.join(map(repr, values))}], dtype=torch.float64)"


def _split_lines(settings: Any, reading: Reading) -> list[str]:
    """Places of the splits, ascending; see `datasets/split.py`."""
    sizes = split_sizes({"train": reading.size}, settings)
    limited = min(reading.size, settings.limit) if settings.limit else reading.size
    seed = settings.split_seed
    lines: list[str] = []
    if limited < reading.size:
        lines.append(f"kept = np.sort(np.random.default_rng({seed}).permutation({reading.size})[:{limited}])")
    if settings.split == "random":
        mixed = f"np.random.default_rng({seed}).permutation({limited})"
        lines.append(f"order = kept[{mixed}]" if limited < reading.size else f"order = {mixed}")
    else:
        taken = "kept" if limited < reading.size else f"np.arange({limited})"
        lines.append(f"order = {taken}" + ("" if settings.split == "first" else "[::-1]"))
    own = getattr(settings, "own_test", False)
    test = 0 if own else sizes.get("test", 0)
    val = sizes.get("val", 0)
    places = [("val", f"order[{test or ''}:{test + val}]")] * bool(val)
    places.append(("train", f"order[{test + val}:]" if test + val else "order"))
    return [*lines, *(f"{name} = torch.from_numpy(np.sort({taken}))" for name, taken in places)]


def _prepare_lines(
    names: Names, ends: Ends, steps: list[Preparing], streams: Mapping[str, StreamInfo], project: Project
) -> list[str]:
    """Statistics of the training samples where the preprocessing takes them, and its call."""
    lines: list[str] = []
    given: list[str] = []
    done: dict[str, tuple[str, str]] = {}
    preprocess = project.recipe.made("preprocess")
    for name, step, end in zip(names.inputs, steps, ends.inputs, strict=True):
        given.append(name)
        if not step.extra:
            continue
        if end.stream not in done:
            stream = streams[end.stream]
            if stream.kind == IMAGE and (preprocess.resize is not None or preprocess.color != "keep"):
                raise ProblemError(unwritable("statistics of every pixel of images that change their size or colour"))
            lines += _statistics(name, stream, preprocess)
            done[end.stream] = (f"{name}_mean", f"{name}_deviation")
        given += done[end.stream]
    call = bracketed(f"{', '.join(names.inputs)} = preprocess(", given, ")", 0)
    return [*lines, *call]


def _statistics(name: str, stream: StreamInfo, preprocess: Any) -> list[str]:
    divide = stream.top if preprocess.scale == "unit" and stream.top else 1.0
    rank = len(stream.shape)
    if preprocess.standardize == "feature":
        away, shape = "0", ""
    else:
        axis = 0 if stream.kind == IMAGE else rank - 1
        gone = ", ".join(["0", *(str(place + 1) for place in range(rank) if place != axis)])
        away, shape = f"({gone})" if rank > 1 else "0", ", keepdim=True"
    first = "[0]" if shape else ""
    scaled = "" if divide == 1.0 else f" / {divide!r}"
    return [
        f"seen = {name}[train].double()",
        f"mean = seen.mean({away}{shape})",
        f"deviation = (seen - mean).square().mean({away}{shape}).sqrt(){scaled}",
        f"{name}_mean = (mean{scaled}).float(){first}",
        f"{name}_deviation = torch.where(deviation == 0, 1.0, deviation).float(){first}",
    ]
