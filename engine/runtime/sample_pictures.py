"""Pictures as samples of a run's image stream: files, pasted pixels and drawings, brought to size, colour and scale.

Every change is said in words. A drawing, and a picture that is to be taken as one, is turned to light on dark, cut
out and centred as the data set's characters are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from engine.askable import square_side, strokes_of, takes_drawings
from engine.datasets.raw import IMAGE, Array, StreamInfo
from engine.drawing import frame, ink_of
from engine.pictures import read_picture
from engine.problem import ProblemError, Where, error
from engine.project import Project
from engine.runtime.restore import Restored
from engine.runtime.sample import Sample
from engine.tensor import shape_text


def sample_of_picture(
    restored: Restored, stream: StreamInfo, name: str, source: Path | Array, *, label: str = "", drawn: bool = False
) -> Sample:
    """A picture as a sample of the stream `name`; `source` is a file or pixels (height, width, 1, 3 or 4) uint8.

    With `drawn` it is taken as a drawing of a character. ProblemError when the network takes no such pictures.
    """
    words = label or str(source)
    _refuse_other(restored, stream, words, source)
    as_stored = str(restored.project.recipe.get("data").get("type")) == "image_folder" and not drawn
    channels = stream.shape[0] if stream.kind == IMAGE else 1
    picture = read_picture(source, channels, as_stored=as_stored, label=label)
    if drawn:
        values, said = _drawing(restored.project, stream, picture.pixels)
    else:
        values, said = _fitted(restored, stream, name, picture.pixels)
    if stream.top not in (0.0, 255.0):
        values = values.astype(np.float32) * np.float32(stream.top / 255.0)
        said = (*said, f"brought to the data's scale, 0 to {stream.top:g}")
    return Sample(words, None, {name: values}, picture.remarks, said)


def _fitted(restored: Restored, stream: StreamInfo, name: str, pixels: Array) -> tuple[Array, tuple[str, ...]]:
    """Stretched to the data's size where the preprocessing has none of its own."""
    _, height, width = stream.shape
    found = f"{pixels.shape[2]}×{pixels.shape[1]}"
    resize = restored.preprocess[name].resize
    if resize is not None:
        return pixels, (f"{found}, stretched to {resize[1]}×{resize[0]} by the preprocessing",)
    if pixels.shape[1:] == (height, width):
        return pixels, (f"{found}, as the data's images",)
    shrunk = functional.interpolate(
        torch.from_numpy(pixels)[None].float(), size=[height, width], mode="bilinear", align_corners=False,
        antialias=True,
    )  # fmt: skip
    small: Array = shrunk[0].round().clamp(0, 255).to(torch.uint8).numpy()
    return small, (f"stretched from {found} to {width}×{height}",)


def _drawing(project: Project, stream: StreamInfo, pixels: Array) -> tuple[Array, tuple[str, ...]]:
    ink, turned = ink_of(pixels)
    side = square_side(stream)
    size = stream.shape[1:] if stream.kind == IMAGE else (side, side)
    framed = frame(ink, (size[0], size[1]), strokes_of(project))
    grey = np.round(framed.ink * 255).astype(np.uint8)
    if stream.kind == IMAGE:
        return np.repeat(grey[None], stream.shape[0], 0), (*turned, *framed.said)
    return grey.reshape(stream.shape), (*turned, *framed.said)


def _refuse_other(restored: Restored, stream: StreamInfo, words: str, source: Path | Array) -> None:
    where = Where(label=words, file=str(source) if isinstance(source, Path) else "")
    fix = "Save the samples in one of these"
    if len(restored.built.inputs) > 1:
        happened = f"The network has {len(restored.built.inputs)} inputs, and a picture gives one"
        raise ProblemError(error(where, happened, "An .npz file with all of them", fix, code="predict-input"))
    if stream.kind != IMAGE and not takes_drawings(restored.project, stream):
        happened = f"The network takes {stream.kind} input of {shape_text(stream.shape)}, no images"
        raise ProblemError(error(where, happened, "A .csv or an .npz file", fix, code="predict-input"))
    if stream.kind == IMAGE and stream.shape[0] not in (1, 3):
        happened = f"The network takes images of {stream.shape[0]} channels, and a picture has 1 or 3"
        raise ProblemError(error(where, happened, "An .npz file", fix, code="predict-input"))
