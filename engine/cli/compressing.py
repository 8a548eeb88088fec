"""`compress`: a trained run made smaller, with what that costs."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from engine.cli.fetching import ensure_data
from engine.cli.outcome import GOOD, Unusable, usable, written
from engine.cli.output import Output, columns
from engine.cli.progress import data_progress
from engine.cli.projects import open_run, places_for
from engine.compression import CHECKPOINT, SUFFIXES, Way
from engine.problem import Where, error


def compress(options: Namespace, output: Output) -> int:
    """Makes a run smaller; figures, size and time before and after."""
    from engine.runtime.compressing import compress_run
    from engine.runtime.restore import load_run

    way = _way(options)
    run = open_run(options, options.run)
    with usable():
        restored = load_run(run, options.checkpoint)
    path = None if way.kind in CHECKPOINT else _target(options, restored.info.name, way.kind)
    places = places_for(options, run.parent)
    ensure_data(options, restored.project.recipe, places, output)
    with written():
        found = compress_run(
            run, way, places=places, path=path, checkpoint=options.checkpoint, split=options.split,
            threads=options.threads, progress=data_progress(output),
        )  # fmt: skip
    output.record(found)
    _tell(found, output)
    return GOOD


def _way(options: Namespace) -> Way:
    kind = "zero" if options.zero is not None else "prune" if options.prune is not None else ""
    if not kind and options.retrain:
        raise Unusable(error("--retrain", "There is nothing to hold at zero while training on", "--zero or --prune",
                             "Leave --retrain out", code="arguments"))  # fmt: skip
    if options.each_layer and kind != "prune":
        raise Unusable(error("--each-layer", "It belongs to --prune", "--prune SHARE", "Leave --each-layer out",
                             code="arguments"))  # fmt: skip
    if kind and options.output is not None:
        raise Unusable(error("-o", "Zeros and pruning become a checkpoint of the run, not a file", "No -o",
                             "Leave it out, and export the checkpoint afterwards", code="arguments"))  # fmt: skip
    if kind:
        return Way(kind, options.zero if kind == "zero" else options.prune, options.each_layer, options.retrain)
    return Way("fold-bn" if options.fold_bn else "half" if options.half else "int8")


def _target(options: Namespace, name: str, kind: str) -> Path:
    """Where the file goes; a name that was not given is never taken from a file that is there."""
    if options.output is not None:
        path = Path(options.output)
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise Unusable(error(Where(label="-o", file=str(path)), "No file can be written there",
                                 "A file in a folder that exists", "Choose another", code="arguments"))  # fmt: skip
        return path
    letters = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in name) or "model"
    path = Path(f"{letters}-{kind}{SUFFIXES[kind]}")
    if path.exists():
        raise Unusable(error(Where(label=str(path), file=str(path)), "There is a file of this name already",
                             "A name that is free", f"Choose one with -o, or say -o {path} to replace it",
                             code="arguments"))  # fmt: skip
    return path


def _tell(found: dict[str, Any], output: Output) -> None:
    before, after = found["before"], found["after"]
    output.text(f"{found['name']}, {found['checkpoint']} checkpoint: saved as {found['saved']}")
    words = {"bytes": "bytes", "deflated": "bytes zipped", "milliseconds": "ms per batch"}
    names = [name for name, value in before.items() if isinstance(value, float)]
    rows = [[name, f"{before[name]:.6g}", f"{after[name]:.6g}"] for name in names if name not in words]
    rows += [[label, f"{before[name]:,.6g}", f"{after[name]:,.6g}"] for name, label in words.items()]
    for line in columns(rows, head=(found["before"]["split"], "before", "after"), right=(1, 2)):
        output.text(f"  {line}")
    for name, item in found["layers"].items():
        output.text(f"  {name}: {item['zero']:,} of {item['weights']:,} weights are 0")
    if found["folded"]:
        output.text(f"  folded: {', '.join(found['folded'])}")
