"""Files of torchvision's weights: where they lie, fetching them, and reading them without running anything.

They lie where torch keeps them (`torch.hub.get_dir()`), so files fetched by other programs are found and ours by them.
The name of a file ends with the beginning of its SHA-256, which is verified. Fetching and its progress are ours, so it
can be cancelled.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from engine.datasets.download import DownloadPlan, RemoteFile, is_whole, size_words
from engine.datasets.raw import Cancel, Progress
from engine.problem import Problem, ProblemError, Where, error
from engine.runtime.importing.zoo import Entry


def plan(entry: Entry) -> DownloadPlan:
    """What would be fetched, and where to."""
    name = entry.url.rpartition("/")[2]
    found = re.search(r"-([0-9a-f]{8,64})\.", name)
    file = RemoteFile((entry.url,), name, found[1] if found else "", "sha256")
    host = entry.url.split("/")[2]
    words = f"{name}, {size_words(entry.bytes)} from {host}"
    return DownloadPlan(words, entry.bytes, Path(torch.hub.get_dir()) / "checkpoints", (file,))


def is_here(entry: Entry) -> bool:
    """True when the file is in its folder, whole."""
    planned = plan(entry)
    return is_whole(planned.folder / planned.files[0].name, planned.files[0])


def fetched(
    entry: Entry, *, download: bool = True, progress: Progress | None = None, cancel: Cancel | None = None
) -> Path:
    """The file, fetched if it is not here; ProblemError names file, folder and address where that fails."""
    planned = plan(entry)
    target = planned.folder / planned.files[0].name
    if is_whole(target, planned.files[0]):
        return target
    if not download:
        raise ProblemError(_missing(target, entry, "It is not on this computer, and fetching was not wanted"))
    try:
        planned.fetch(progress, cancel)
    except ProblemError as fault:
        told = [_told(problem, target, entry) for problem in fault.problems]
        raise ProblemError(*told) from None
    return target


def read(path: Path) -> Mapping[str, Tensor]:
    """The tensors of a file; ProblemError when there is none, it is damaged, or holds more than tensors."""
    where = Where(label=path.name, file=str(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old forms of files; what matters is refused
            found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as fault:
        raise ProblemError(
            error(where, f"The file cannot be read: {fault.strerror or fault}", "A file of weights",
                  "Name another file", code="import.file")
        ) from None  # fmt: skip
    except (UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, AttributeError) as fault:
        first = (str(fault).strip().splitlines() or [type(fault).__name__])[0]
        raise ProblemError(
            error(where, f"It holds no weights that can be read safely: {first[:160]}",
                  "A dictionary of tensors, as `torch.save(model.state_dict(), path)` writes it",
                  "Fetch the file again, or save the weights alone", code="import.file")
        ) from None  # fmt: skip
    if isinstance(found, dict) and found and all(isinstance(item, Tensor) for item in found.values()):
        return found
    raise ProblemError(
        error(where, "It does not hold a dictionary of tensors", "Weights of a torchvision network",
              "Open it with load-weights instead", code="import.file")
    )  # fmt: skip


def belongs(path: Path, entry: Entry) -> bool:
    """True when a file's content is that of the entry, whatever its name."""
    return is_whole(path, plan(entry).files[0])


def _told(problem: Problem, target: Path, entry: Entry) -> Problem:
    """The problem of fetching data, said of weights."""
    fix = f"Put {target.name} into {target.parent} yourself (from {entry.url}), or name its file with --weights-file"
    return replace(problem, where=Where(label="weights", file=str(target)), fix=fix,
                   code=problem.code.replace("data", "weights"))  # fmt: skip


def _missing(target: Path, entry: Entry, happened: str) -> Problem:
    return error(
        Where(label="weights", file=str(target)), happened, f"{target.name} in {target.parent}",
        f"Put it there (from {entry.url}), or name its file with --weights-file", code="weights-missing",
    )  # fmt: skip
