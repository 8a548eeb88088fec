"""`import`: a network from elsewhere becomes a project, or the list of networks there are."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from engine.cli.outcome import GOOD, PROBLEM, Unusable, usable, written
from engine.cli.output import Output, columns
from engine.cli.progress import data_progress
from engine.problem import ProblemError, Where, error
from engine.projectfile import write_project
from engine.weightfile import put_beside

if TYPE_CHECKING:
    from engine.analysis import Analysis
    from engine.problem import Problem
    from engine.project import Project


class Brought(Protocol):
    """What every source gives: a project, and what is to be said about it."""

    @property
    def project(self) -> Project: ...  # noqa: D102
    @property
    def analysis(self) -> Analysis: ...  # noqa: D102
    @property
    def problems(self) -> tuple[Problem, ...]: ...  # noqa: D102
    @property
    def seconds(self) -> float: ...  # noqa: D102
    @property
    def weights(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Source:
    """One kind of place that networks come from: how it is written, what a project is called, how it is brought."""

    form: str
    stem: Callable[[str], str]
    bring: Callable[[str, Namespace, Output], tuple[Brought, dict[str, Any], str]]
    """Takes what stands after the colon; gives the project, further facts for `--json`, and a line about its proof."""


def bring(options: Namespace, output: Output) -> int:
    """Imports a network, or lists those that can be imported by name."""
    if options.list:
        _list(options.source, output)
        return GOOD
    source, rest = _parts(options.source)
    path = _target(options, source.stem(rest))
    from engine.runtime.device import set_threads

    set_threads(options.threads)
    with usable():
        brought, facts, proof = source.bring(rest, options, output)
    with written():
        write_project(brought.project, path)
        if brought.project.weights is not None:
            put_beside(brought.project.weights, path)
    for problem in brought.problems:
        output.problem(problem)
    _told(path, brought, facts, proof, output)
    return PROBLEM if brought.analysis.errors else GOOD


def _torchvision(rest: str, options: Namespace, output: Output) -> tuple[Brought, dict[str, Any], str]:
    from engine.runtime.importing.torchvision_project import bring_torchvision

    name, _, weights = rest.partition(":")
    brought = bring_torchvision(
        name, weights, classes=options.classes, size=options.size, weights_file=options.weights_file,
        download=options.download, progress=data_progress(output),
    )  # fmt: skip
    return brought, {"source": f"torchvision:{name}"}, "Its network has the keys, shapes and settings of the original."


def _onnx(rest: str, options: Namespace, _: Output) -> tuple[Brought, dict[str, Any], str]:
    from engine.runtime.importing.onnx.project import bring_onnx

    unfit = [name for name in ("classes", "weights_file") if getattr(options, name) is not None]
    if unfit:
        raise ProblemError(error(Where(label=f"--{unfit[0].replace('_', '-')}"), "An ONNX file has its own weights",
                                 "Only --size", "Leave it out", code="arguments"))  # fmt: skip
    brought = bring_onnx(Path(rest), size=options.size)
    apart = brought.difference
    facts: dict[str, Any] = {"source": f"onnx:{rest}"}
    if apart is None:
        return brought, {**facts, "difference": None}, "It was not compared with onnxruntime, which cannot run it here."
    facts |= {"difference": apart.largest, "relative_difference": apart.relative, "batches": list(apart.batches)}
    proof = f"Its answers differ from onnxruntime's by {apart.largest:.2g} ({apart.relative:.1g} of the largest)."
    return brought, facts, proof


SOURCES = {
    "torchvision": Source("torchvision:NAME or torchvision:NAME:WEIGHTS", lambda rest: rest.partition(":")[0],
                          _torchvision),
    "onnx": Source("onnx:FILE", lambda rest: Path(rest).stem, _onnx),
}  # fmt: skip
"""By the word before the colon."""


def _parts(text: str) -> tuple[Source, str]:
    home, _, rest = text.partition(":")
    if home not in SOURCES or not rest:
        forms = ", ".join(source.form for source in SOURCES.values())
        raise Unusable(error(Where(label="SOURCE"), f"{text!r} names no network", forms,
                             "`import --list` shows the networks of torchvision", code="arguments"))  # fmt: skip
    return SOURCES[home], rest


def _target(options: Namespace, name: str) -> Path:
    path: Path = options.output or Path(f"{name}.lwr")
    if path.suffix == ".lwr":
        return path
    raise Unusable(error(Where(label="--output", file=str(path)), f"{path.name} is no name of a project file",
                         "A name that ends in .lwr", f"Call it {path.stem}.lwr", code="arguments"))  # fmt: skip


def _told(path: Path, brought: Brought, facts: dict[str, Any], proof: str, output: Output) -> None:
    analysis, project = brought.analysis, brought.project
    layers = sum(1 for item in analysis.nodes.values() if item.constructor)
    blocks = len(project.graph.definitions)
    output.record({
        **facts, "project": str(path), "weights": brought.weights, "parameters": analysis.parameters,
        "buffers": analysis.buffers, "multiply_adds": analysis.multiply_adds, "nodes": len(analysis.nodes),
        "blocks": blocks, "seconds": round(brought.seconds, 3),
    })  # fmt: skip
    output.text(f"Wrote {path}: {analysis.parameters:,} parameters, {layers} layers drawn in {blocks} kinds of blocks")
    output.text(f"Weights: {brought.weights or 'none, they are drawn from the seed'}")
    output.text(f"{proof} {brought.seconds:.2f} s")


def _list(wanted: str, output: Output) -> None:
    from engine.runtime.importing.zoo import cards

    with usable():
        found = [card for name, card in cards().items() if wanted.rpartition(":")[2].lower() in name]
    rows = []
    for card in found:
        best = card.best
        output.record({
            "name": f"torchvision:{card.name}", "parameters": card.parameters,
            "giga_multiply_adds": card.giga_multiply_adds, "smallest": card.smallest,
            "weights": [
                {"name": item.name, "accuracy": item.accuracy, "accuracy5": item.accuracy5, "size": item.size,
                 "resize": item.resize, "bytes": item.bytes, "url": item.url}
                for item in card.entries
            ],
        })  # fmt: skip
        names = ", ".join(item.name for item in card.entries)
        rows.append((f"torchvision:{card.name}", f"{card.parameters / 1e6:.1f} M", f"{best.accuracy:.1f} %",
                     f"{best.size}", names))  # fmt: skip
    for line in columns(rows, head=("network", "parameters", "accuracy", "pixels", "weights, best first"),
                        right=(1, 2, 3)):  # fmt: skip
        output.text(line)
