"""Tries an export in a process of its own and compares it with the live model.

Owns the comparison and what counts as equal. The other side stands in `read_back.py`. On the same machine, with one
thread, the same code gives the same bits, so the difference is expected to be exactly 0; the tolerance is for
machines that choose other kernels from one process to the next.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from engine.problem import Problem, ProblemError, Where, error
from engine.runtime.export_samples import Trial
from engine.source_ends import OutputEnd

RELATIVE, ABSOLUTE = 1e-5, 1e-6
TIMEOUT = 300.0
"""Seconds after which reading back counts as failed."""


@dataclass(frozen=True)
class Attempt:
    """What the other process is to read: the generated code, the weights, statistics that `predict` takes."""

    code: Path
    class_name: str
    weights: Path
    format: str
    architecture: str
    statistics: Path | None
    names: tuple[str, ...]
    """Arguments of `forward`, in order."""


@dataclass(frozen=True)
class Difference:
    """How far what was read back is from the live model: raw outputs, and answers of `predict` where there are some."""

    absolute: float
    relative: float
    """Largest absolute difference over the largest absolute value of its tensor."""
    classes_agree: bool | None
    """None when no output answers with classes."""

    @property
    def is_small(self) -> bool:
        """True within the tolerance."""
        return (self.relative <= RELATIVE or self.absolute <= ABSOLUTE) and self.classes_agree is not False


def compare(
    attempt: Attempt, model: nn.Module, trial: Trial, ends: Sequence[OutputEnd], values: Sequence[Tensor | None], *,
    folder: Path,
) -> Difference:  # fmt: skip
    """The difference between the export and the live model. ProblemError when the export cannot be read.

    `values` holds per output (mean, deviation) stacked, (2, size), where answers are brought back to real units.
    """
    found = _elsewhere(attempt, trial, folder)
    with _one_thread(), torch.inference_mode():
        return _difference(_live(model, trial, ends, values), found, ends)


def _live(
    model: nn.Module, trial: Trial, ends: Sequence[OutputEnd], values: Sequence[Tensor | None]
) -> dict[str, Tensor]:
    """The same results from the model in memory, under the names that `read_back.py` gives them."""
    found: dict[str, Tensor] = {}
    model.eval()
    for number, batch in enumerate(trial.prepared):
        result = model(*batch)
        outputs = (result,) if isinstance(result, Tensor) else tuple(result)
        if trial.rows:
            found[f"encoded.{number}.0"] = trial.raw[number][0]
        for place, (end, output, units) in enumerate(zip(ends, outputs, values, strict=True)):
            found[f"output.{number}.{place}"] = output
            if trial.raw:
                found[f"answer.{number}.{place}"] = _answer(end, output, units)
    return found


def _answer(end: OutputEnd, output: Tensor, units: Tensor | None) -> Tensor:
    if end.activation == "softmax":
        return output.softmax(1)
    if end.activation == "sigmoid":
        return output.sigmoid()
    return output if units is None else output * units[1] + units[0]


def _difference(live: Mapping[str, Tensor], found: Mapping[str, Tensor], ends: Sequence[OutputEnd]) -> Difference:
    absolute = relative = 0.0
    agree: bool | None = None
    for name, mine in live.items():
        theirs = found.get(name)
        if theirs is None or theirs.shape != mine.shape:
            shapes = f"{tuple(mine.shape)} here, {tuple(theirs.shape) if theirs is not None else 'nothing'} there"
            raise ProblemError(_fault(f"It gives other results than the model: {shapes}"))
        gap = float((mine.double() - theirs.double()).abs().max()) if mine.numel() else 0.0
        if not gap <= float("inf"):  # a number on one side and nan on the other
            same = torch.equal(mine.isnan(), theirs.isnan())
            gap = float((mine.double() - theirs.double()).nan_to_num(0.0).abs().max()) if same else float("inf")
        scale = float(mine.double().nan_to_num(0.0).abs().max()) if mine.numel() else 0.0
        absolute, relative = max(absolute, gap), max(relative, gap / scale if scale else gap)
        end = ends[int(name.rsplit(".", 1)[1])]
        if end.activation in ("softmax", "sigmoid") and mine.dim() == 2:
            border = 0.5 if name.startswith("answer") else 0.0
            same = torch.equal(_chosen(mine, border), _chosen(theirs, border))
            agree = same if agree is None else agree and same
    return Difference(absolute, relative, agree)


def _chosen(output: Tensor, border: float) -> Tensor:
    """The class of each sample, or whether it is a yes."""
    return output.argmax(1) if output.shape[1] > 1 else output[:, 0] > border


def _elsewhere(attempt: Attempt, trial: Trial, folder: Path) -> dict[str, Tensor]:
    """What a fresh process gets out of the export."""
    tensors: dict[str, Tensor] = {}
    for kind, batches in (("prepared", trial.prepared), ("raw", trial.raw)):
        for number, batch in enumerate(batches):
            tensors |= {f"{kind}.{number}.{place}": item.contiguous() for place, item in enumerate(batch)}
    samples, job, result = folder / "samples.safetensors", folder / "job.json", folder / "found.safetensors"
    # Copies: two inputs may share the memory of one stream, which safetensors refuses.
    safetensors.torch.save_file({name: item.clone() for name, item in tensors.items()}, samples)
    wanted = {
        "code": str(attempt.code), "class": attempt.class_name, "weights": str(attempt.weights),
        "format": attempt.format, "architecture": attempt.architecture, "samples": str(samples),
        "statistics": str(attempt.statistics) if attempt.statistics else "", "found": str(result),
        "batches": len(trial.prepared), "inputs": len(trial.prepared[0]), "predicts": bool(trial.raw),
        "names": list(attempt.names), "rows": list(trial.rows),
    }  # fmt: skip
    job.write_text(json.dumps(wanted), "utf-8")
    script = Path(__file__).with_name("read_back.py")
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(script), str(job)], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", timeout=TIMEOUT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ProblemError(_fault(f"Reading it back took longer than {TIMEOUT:.0f} s")) from None
    if done.returncode or not result.is_file():
        reason = (done.stderr.strip().splitlines() or ["the process ended without a word"])[-1]
        raise ProblemError(_fault(f"It cannot be read back: {reason[:300]}"))
    return safetensors.torch.load_file(result)


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def too_different(difference: Difference) -> Problem:
    """The problem of an export that gives other results than the model."""
    if difference.classes_agree is False:
        return _fault("The file that was read back chooses other classes than the model")
    return _fault(f"Results differ by up to {difference.absolute:.3g} ({difference.relative:.3g} of the largest)")


def _fault(happened: str) -> Problem:
    return error(
        Where(label="export"), happened, "An export that gives what the model gives",
        "Nothing was written. Please report this with the project file", code="export",
    )  # fmt: skip


def literal_units(means: Sequence[float], deviations: Sequence[float]) -> Tensor | None:
    """Mean and deviation of an output as (2, size), None where answers have no units of their own."""
    return torch.tensor([list(means), list(deviations)]) if means else None
