"""`import`: a network from elsewhere becomes a project, or the list of networks there are."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.outcome import GOOD, PROBLEM, Unusable, usable, written
from engine.cli.output import Output, columns
from engine.cli.progress import data_progress
from engine.problem import Where, error
from engine.projectfile import write_project
from engine.weightfile import put_beside

if TYPE_CHECKING:
    from engine.runtime.importing.torchvision_project import Brought

_FORMS = "torchvision:NAME or torchvision:NAME:WEIGHTS"


def bring(options: Namespace, output: Output) -> int:
    """Imports a network, or lists those that can be imported by name."""
    if options.list:
        _list(options.source, output)
        return GOOD
    home, name, weights = _parts(options.source)
    path = _target(options, name)
    from engine.runtime.device import set_threads
    from engine.runtime.importing.torchvision_project import bring_torchvision

    set_threads(options.threads)
    with usable():
        brought = bring_torchvision(
            name, weights, classes=options.classes, size=options.size, weights_file=options.weights_file,
            download=options.download, progress=data_progress(output),
        )  # fmt: skip
    with written():
        write_project(brought.project, path)
        if brought.project.weights is not None:
            put_beside(brought.project.weights, path)
    for problem in brought.problems:
        output.problem(problem)
    _told(f"{home}:{name}", path, brought, output)
    return PROBLEM if brought.analysis.errors else GOOD


def _parts(source: str) -> tuple[str, str, str]:
    home, _, rest = source.partition(":")
    name, _, weights = rest.partition(":")
    if home != "torchvision" or not name:
        raise Unusable(error(Where(label="SOURCE"), f"{source!r} names no network", _FORMS,
                             "`import --list` shows the networks there are", code="arguments"))  # fmt: skip
    return home, name, weights


def _target(options: Namespace, name: str) -> Path:
    path: Path = options.output or Path(f"{name}.lwr")
    if path.suffix == ".lwr":
        return path
    raise Unusable(error(Where(label="--output", file=str(path)), f"{path.name} is no name of a project file",
                         "A name that ends in .lwr", f"Call it {path.stem}.lwr", code="arguments"))  # fmt: skip


def _told(source: str, path: Path, brought: Brought, output: Output) -> None:
    analysis, project = brought.analysis, brought.project
    layers = sum(1 for facts in analysis.nodes.values() if facts.constructor)
    blocks = len(project.graph.definitions)
    output.record({
        "source": source, "project": str(path), "weights": brought.weights, "parameters": analysis.parameters,
        "buffers": analysis.buffers, "multiply_adds": analysis.multiply_adds, "nodes": len(analysis.nodes),
        "blocks": blocks, "seconds": round(brought.seconds, 3),
    })  # fmt: skip
    output.text(f"Wrote {path}: {analysis.parameters:,} parameters, {layers} layers drawn in {blocks} kinds of blocks")
    output.text(f"Weights: {brought.weights or 'none, they are drawn from the seed'}")
    output.text(f"Its network has the keys, shapes and settings of the original. {brought.seconds:.2f} s")


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
