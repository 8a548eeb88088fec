"""`export`: takes a model away, read back and compared before it gets its name."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.checking import with_data
from engine.cli.outcome import GOOD, Unusable, usable, written
from engine.cli.output import Output
from engine.cli.projects import is_project, num_runs, open_project, open_run, places_for
from engine.problem import Where, error

if TYPE_CHECKING:
    from engine.runtime.export import ExportReport


def export(options: Namespace, output: Output) -> int:
    """Exports a run, or the code of a project."""
    run = _run(options)
    with written():
        report = _project(options, output) if run is None else _trained(options, run, output)
    output.record(report.to_json())
    kind = "samples of the data" if report.real_samples else "drawn samples"
    output.text(f"Wrote {', '.join(report.files)} ({report.bytes:,} bytes)")
    output.text(
        f"Read back in a fresh process and compared on {report.samples} {kind}: "
        f"largest difference {report.largest_difference:.3g}, relative {report.largest_relative_difference:.3g}"
        + {True: ", all classes agree", False: "", None: ""}[report.classes_agree]
    )
    if options.bake:
        names = ", ".join(report.baked)
        output.text(f"Baked in: {names}" if names else "No layer is reparametrised: there was nothing to bake in")
    return GOOD


def _run(options: Namespace) -> Path | None:
    """The run that is meant, None for a project: a run wins, because it has weights.

    Where several runs bear the project's name, the code is the project's; weights must be asked of one of them.
    """
    text = str(options.source)
    fitting = num_runs(options, text) if is_project(text) else 1
    return None if fitting == 0 or (fitting > 1 and options.format == "python") else open_run(options, text)


def _trained(options: Namespace, run: Path, output: Output) -> ExportReport:
    from engine.runtime.device import set_threads
    from engine.runtime.export import export_run
    from engine.runtime.restore import load_run

    with usable():
        restored = load_run(run, options.checkpoint or "")
    set_threads(options.threads)
    path = _target(options, restored.info.name, output)
    return export_run(restored, path, format=options.format, places=places_for(options, run.parent), bake=options.bake)


def _project(options: Namespace, output: Output) -> ExportReport:
    from engine.runtime.export import export_project

    options.project, options.settings = options.source, []
    opened = open_project(options, output)
    if options.format != "python":
        raise Unusable(
            error(Where(label=opened.project.name), f"A project has no weights to export as {options.format}",
                  "--format python, or a trained run", "Train it first, and export the run", code="export-no-weights")
        )  # fmt: skip
    project, _ = with_data(opened, options)
    return export_project(project, _target(options, project.name, output), bake=options.bake)


def _target(options: Namespace, name: str, output: Output) -> Path:
    """Where to write. A name that was not given is never taken from a file that is there already."""
    from engine.runtime.export import SUFFIXES

    if options.output is not None:
        if options.output.is_dir():
            where = Where(label="-o", file=str(options.output))
            raise Unusable(error(where, "This is a folder", "A file to write", "Add a file's name", code="arguments"))
        if not options.output.absolute().parent.is_dir():
            where = Where(label="-o", file=str(options.output))
            raise Unusable(error(where, "There is no such folder", "A folder that exists", "Make it", code="arguments"))
        if options.output.exists():
            output.say(f"{options.output} will be replaced.")
        return Path(options.output)
    letters = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in name) or "model"
    path = Path(letters + SUFFIXES[options.format])
    if path.exists():
        raise Unusable(error(Where(label=str(path), file=str(path)), "There is a file of this name already",
                             "A name that is free", f"Choose one with -o, or say -o {path} to replace it",
                             code="arguments"))  # fmt: skip
    return path
