"""`evaluate` and `recalibrate`: what a trained run is worth."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli.fetching import ensure_data
from engine.cli.outcome import GOOD, usable
from engine.cli.output import Output, columns
from engine.cli.progress import data_progress
from engine.cli.projects import open_run, places_for

if TYPE_CHECKING:
    from engine.runtime.restore import Restored


def evaluate(options: Namespace, output: Output) -> int:
    """Loss, metrics and tables of a run on one split."""
    from engine.runtime.device import choose_device, set_threads
    from engine.runtime.evaluate import evaluate as evaluated
    from engine.runtime.evaluate import evaluate_mc
    from engine.runtime.metrics import metrics_of
    from engine.runtime.setup import make_heads, open_for

    run, restored = restored_run(options, output)
    with usable():
        device = choose_device(options.device or "auto")
    set_threads(options.threads)
    places = places_for(options, run.parent)
    ensure_data(options, restored.project.recipe, places, output)
    data = open_for(restored.project, places, device=device, progress=data_progress(output))
    try:
        heads = make_heads(restored.project, data, device)
        model = restored.model.to(device)
        metrics = metrics_of(restored.project.recipe)
        found = evaluated(model, data, options.split, heads=heads, metrics=metrics)
        many: dict[str, Any] = {}
        if options.mc:
            with usable():
                many = evaluate_mc(
                    model, data, options.split, heads=heads, metrics=metrics, passes=options.mc, seed=options.seed,
                    where=restored.info.name,
                )  # fmt: skip
        if restored.info.fingerprint and data.facts.fingerprint != restored.info.fingerprint:
            output.say("The data is not the data this run was trained on.")
    finally:
        data.close()
    about = {"run": str(run), "checkpoint": restored.checkpoint, "epoch": restored.epoch}
    output.record({**about, **found.to_json(), **({"mc": many} if many else {})})
    where = f"{restored.info.name}, {restored.checkpoint} checkpoint (epoch {restored.epoch})"
    output.text(f"{where}, {found.samples:,} {found.split} samples")
    if many:
        output.text(f"  {'':<16}{'plain':<14}mean of {options.mc:,} passes with dropout")
    for name, value in {"loss": found.loss, **found.metrics}.items():
        output.text(f"  {name:<16}{value:<14.6g}{many[name]:.6g}" if many else f"  {name:<16}{value:.6g}")
    if many:
        output.text(f"  {'deviation':<16}{'':<14}{many['deviation']:.6g}")
    for name, table in found.tables.items():
        _table(name, table, output)
    return GOOD


def recalibrate(options: Namespace, output: Output) -> int:
    """Batch norm's statistics over the whole training set, saved as a checkpoint; figures before and after."""
    from engine.runtime.recalibrate import recalibrate_run
    from engine.runtime.restore import load_run

    run = open_run(options, options.run)
    places = places_for(options, run.parent)
    with usable():
        ensure_data(options, load_run(run, options.checkpoint or "").project.recipe, places, output)
        found = recalibrate_run(
            run, places=places, checkpoint=options.checkpoint or "", device=options.device, threads=options.threads,
            progress=data_progress(output),
        )  # fmt: skip
    output.record(found)
    output.text(
        f"{found['name']}: {found['norms']} batch norms measured over the training set; saved as {found['saved']}"
    )
    before, after = found["before"], found["after"]
    if before and after:
        for name, value in before.items():
            if isinstance(value, float):
                output.text(f"  {name:<16}{value:<14.6g}{after[name]:.6g}")
    return GOOD


def restored_run(options: Namespace, output: Output) -> tuple[Path, Restored]:
    """The run that was named, and its model with the weights of the checkpoint that was named."""
    run = open_run(options, options.run)
    from engine.runtime.restore import load_run

    with usable():
        restored = load_run(run, options.checkpoint or "")
    if restored.differs:
        output.say("The code generated today differs from the recorded model.py; the weights fit by name and shape.")
    return run, restored


def _table(name: str, table: dict[str, Any], output: Output) -> None:
    output.text(f"{name}: rows are the truth, columns the answer")
    classes = [str(word)[:12] for word in table["classes"]]
    rows = [[word, *map(str, counts)] for word, counts in zip(classes, table["confusion"], strict=True)]
    if len(classes) <= 20:
        for line in columns(rows, head=("", *classes), right=range(1, len(classes) + 1)):
            output.text(f"  {line}")
    rows = [
        [
            str(row["class"]),
            f"{row['precision']:.3f}",
            f"{row['recall']:.3f}",
            f"{row['f1']:.3f}",
            f"{row['samples']:,}",
        ]
        for row in table["per_class"]
    ]
    for line in columns(rows, head=("class", "precision", "recall", "F1", "samples"), right=(1, 2, 3, 4)):
        output.text(f"  {line}")
