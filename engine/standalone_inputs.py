"""How one input stream is prepared, written out as lines of the exported file. Knows no torch.

Says in code what the training's own preprocessing does: colour, then size, then scale, then standardisation; images
of whole numbers are rounded after colour and size, as they are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.datasets.facts import raw_streams
from engine.datasets.raw import IMAGE, TOKENS, StreamInfo
from engine.known import known_data
from engine.project import Project
from engine.source_ends import InputEnd
from engine.source_parts import bracketed
from engine.tensor import shape_text

GREY = "[0.2989, 0.587, 0.114]"
"""Weights of red, green and blue in grey (ITU-R BT.601)."""


@dataclass(frozen=True)
class Preparing:
    """One argument of `preprocess`: its name, its lines, further arguments, and what a raw sample is."""

    name: str
    lines: tuple[str, ...]
    extra: tuple[str, ...]
    words: str


def preparing(project: Project, end: InputEnd, statistics: Any) -> Preparing:
    """The preparation of the stream that enters at `end`; `statistics` have `mean` and `deviation`, or are None."""
    data = known_data(project)
    streams = raw_streams(data) if data else {}
    stream = streams.get(end.stream)
    if stream is None:
        return Preparing(end.name, (), (), "as the model takes it, because the data has not been read")
    words = f"{shape_text(stream.shape)} per sample" + (f", values 0 to {stream.top:g}" if stream.top else "")
    if stream.kind == TOKENS:
        return Preparing(end.name, (f"{end.name} = {end.name}.long()",), (), words)
    settings = project.recipe.made("preprocess")
    lines = _image_lines(end.name, stream, settings) if stream.kind == IMAGE else [f"{end.name} = {end.name}.float()"]
    if settings.scale == "unit" and stream.top and stream.top != 1.0:
        if lines[-1] == f"{end.name} = {end.name}.float()":
            lines[-1] = f"{end.name} = {end.name}.float() / {stream.top:g}"
        else:
            lines.append(f"{end.name} = {end.name} / {stream.top:g}")
    extra: tuple[str, ...] = ()
    if settings.standardize != "none":
        mean, deviation = f"{end.name}_mean", f"{end.name}_deviation"
        if statistics is not None and statistics.mean:
            for name, values in ((mean, statistics.mean), (deviation, statistics.deviation)):
                lines += _constant(name, end.name, values, spread=stream.kind == IMAGE)
        else:
            extra = (mean, deviation)
        lines.append(f"{end.name} = ({end.name} - {mean}) / {deviation}")
    return Preparing(end.name, tuple(lines), extra, words)


def _image_lines(name: str, stream: StreamInfo, settings: Any) -> list[str]:
    channels = stream.shape[0]
    changes: list[str] = []
    whole = f"if whole:\n    {name} = {name}.round().clamp(0, 255)"
    if settings.color == "grey" and channels != 1:
        changes += [
            f"grey = {name}.new_tensor({GREY}).view(3, 1, 1)",
            f"{name} = ({name}[:, :3] * grey).sum(dim=1, keepdim=True)",
            whole,
        ]
    elif settings.color == "rgb" and channels == 1:
        changes.append(f"{name} = {name}.expand(-1, 3, -1, -1)")
    if settings.resize is not None:
        size = settings.resize if isinstance(settings.resize, tuple) else (settings.resize, settings.resize)
        options = [f"size={size!r}", 'mode="bilinear"', "align_corners=False", "antialias=True"]
        resized = bracketed(f"{name} = F.interpolate(", [name, *options], ")", 4)
        changes += ["\n".join(line[4:] for line in resized), whole]
    rounded = whole in changes
    lines = [f"whole = {name}.dtype == torch.uint8"] if rounded else []
    lines.append(f"{name} = {name}.float()")
    for change in changes:
        lines.extend(change.split("\n"))
    return lines


def _constant(name: str, like: str, values: tuple[float, ...], *, spread: bool) -> list[str]:
    texts = [repr(float(value)) for value in values]
    after = "]).view(-1, 1, 1)" if spread and len(texts) > 1 else "])"
    return [line[4:] for line in bracketed(f"{name} = {like}.new_tensor([", texts, after, 4)]
