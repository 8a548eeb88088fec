"""`export`: takes a model away, read back and compared before it gets its name."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.checking import with_data
from engine.cli.outcome import GOOD, Unusable, usable, written
from engine.cli.output import Output
from engine.cli.projects import is_project, num_runs, open_project, open_run, places_for
from engine.formats import FORMATS, ExportOptions, unfit
from engine.problem import Where, error

if TYPE_CHECKING:
    from engine.runtime.export import ExportReport


def export(options: Namespace, output: Output) -> int:
    """Exports a run, or the code of a project."""
    chosen = ExportOptions(
        bake=options.bake, fold=options.fold_bn, half=options.half, int8=options.int8,
        preprocess=options.with_preprocessing,
    )  # fmt: skip
    if problem := unfit(options.format, chosen):
        raise Unusable(problem)
    run = _run(options)
    with written():
        report = _project(options, chosen, output) if run is None else _trained(options, chosen, run, output)
    output.record(report.to_json())
    kind = "samples of the data" if report.real_samples else "drawn samples"
    output.text(f"Wrote {', '.join(report.files)} ({report.bytes:,} bytes)")
    output.text(
        f"Read back in a fresh process and compared on {report.samples} {kind}: "
        f"largest difference {report.largest_difference:.3g}, relative {report.largest_relative_difference:.3g} "
        f"({report.allowed:g} allowed){_agreement(report)}; {report.latency_ms:.3g} ms per sample on one thread"
    )
    for limit in report.limits:
        output.say(f"Not repeated exactly: {limit}.")
    if report.same_samples:
        output.text("The script reads the very samples of the training" + _epoch(report))
    if options.bake:
        names = ", ".join(report.baked)
        output.text(f"Baked in: {names}" if names else "No layer is reparametrised: there was nothing to bake in")
    if options.fold_bn:
        names = ", ".join(report.folded)
        output.text(f"Folded: {names}" if names else "No batch norm stands so that it can be folded")
    return GOOD


def _epoch(report: ExportReport) -> str:
    if report.same_losses is None:
        return ""
    return ", and its first epoch ends with the very losses of the run" if report.same_losses else (
        "; its first epoch ends with losses that differ in the last digits"
    )  # fmt: skip


def _agreement(report: ExportReport) -> str:
    if report.agreement is None:
        return ""
    return ", all classes agree" if report.classes_agree else f", {report.agreement:.0%} of the classes agree"


def _run(options: Namespace) -> Path | None:
    """The run that is meant, None for a project: a run wins, because it has weights.

    Where several runs bear the project's name, the code is the project's; weights must be asked of one of them.
    """
    text = str(options.source)
    fitting = num_runs(options, text) if is_project(text) else 1
    return None if fitting == 0 or (fitting > 1 and not FORMATS[options.format].needs_run) else open_run(options, text)


def _trained(options: Namespace, chosen: ExportOptions, run: Path, output: Output) -> ExportReport:
    from engine.runtime.device import set_threads
    from engine.runtime.export import export_run
    from engine.runtime.restore import load_run

    with usable():
        restored = load_run(run, options.checkpoint or "")
    set_threads(options.threads)
    path = _target(options, restored.info.name, output)
    places = places_for(options, run.parent)
    return export_run(restored, path, format=options.format, places=places, options=chosen)


def _project(options: Namespace, chosen: ExportOptions, output: Output) -> ExportReport:
    from engine.runtime.export import export_project

    options.project, options.settings = options.source, []
    opened = open_project(options, output)
    if FORMATS[options.format].needs_run:
        raise Unusable(
            error(Where(label=opened.project.name), f"A project has no weights to export as {options.format}",
                  "--format python, script or notebook; or a trained run",
                  "Train it first, and export the run", code="export-no-weights")
        )  # fmt: skip
    project, _ = with_data(opened, options)
    path = _target(options, project.name, output)
    places = places_for(options, opened.path.parent if opened.path else None)
    return export_project(project, path, format=options.format, places=places, options=chosen)


def _target(options: Namespace, name: str, output: Output) -> Path:
    """Where to write. A name that was not given is never taken from a file that is there already."""
    if options.output is not None:
        if options.output.is_dir() and not _is_bundle(options.output, options.format):
            where = Where(label="-o", file=str(options.output))
            raise Unusable(error(where, "This is a folder", "A file to write", "Add a file's name", code="arguments"))
        if not options.output.absolute().parent.is_dir():
            where = Where(label="-o", file=str(options.output))
            raise Unusable(error(where, "There is no such folder", "A folder that exists", "Make it", code="arguments"))
        if options.output.exists():
            output.say(f"{options.output} will be replaced.")
        return Path(options.output)
    letters = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in name) or "model"
    path = Path(letters + FORMATS[options.format].suffix)
    if path.exists():
        raise Unusable(error(Where(label=str(path), file=str(path)), "There is a file of this name already",
                             "A name that is free", f"Choose one with -o, or say -o {path} to replace it",
                             code="arguments"))  # fmt: skip
    return path


def _is_bundle(path: Path, format: str) -> bool:
    """A folder that an earlier bundle made, or an empty one: only these are replaced by a bundle."""
    from engine import bundle

    return format == "bundle" and ((path / bundle.PREDICT).is_file() or not any(path.iterdir()))
