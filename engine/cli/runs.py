"""`runs`: recorded runs listed, shown or compared."""

from __future__ import annotations

import time
from argparse import Namespace
from dataclasses import asdict
from typing import Any

from engine.activity_verdict import activity_verdict
from engine.cli.outcome import GOOD, usable
from engine.cli.output import Output, columns
from engine.cli.projects import all_runs, info_of, open_run, run_folders
from engine.runfiles import RunInfo
from engine.runs import compare_runs, read_events
from engine.timeline import Timeline
from engine.verdict import verdict


def runs(options: Namespace, output: Output) -> int:
    """Lists, shows or compares runs."""
    {"list": _list, "show": _show, "compare": _compare}[options.action](options, output)
    return GOOD


def _list(options: Namespace, output: Output) -> None:
    found = all_runs(options)
    for info in found:
        output.record(info.to_json())
    if not found:
        output.text(f"No runs in {', '.join(map(str, run_folders(options)))}")
        return
    rows = [
        [info.id, info.name, info.status, f"{info.epoch}/{info.epochs}", _figure(info), _when(info.created)]
        for info in found
    ]
    for line in columns(rows, head=("id", "name", "status", "epochs", "best", "when"), right=(3,)):
        output.text(line)


def _show(options: Namespace, output: Output) -> None:
    path = open_run(options, options.run[0])
    info = info_of(path)
    timeline = Timeline.from_events(read_events(path))
    said = {"gradients": verdict(timeline), "activations": activity_verdict(timeline.activity.at())}
    said = {name: found for name, found in said.items() if found.level != "unknown"}
    output.record(info.to_json() | {name: asdict(found) for name, found in said.items()})
    for name, value in (info.to_json() | said).items():
        if value not in ("", None, {}, []):
            output.text(f"{name:<12} {_when(info.created) if name == 'created' else _shown(value)}")


def _compare(options: Namespace, output: Output) -> None:
    paths = [open_run(options, text) for text in options.run]
    with usable():
        found = compare_runs(paths)
    output.record(found)
    infos: list[dict[str, Any]] = found["runs"]
    figures = list(dict.fromkeys(name for info in infos for name in info["best"] if name not in _NO_FIGURES))
    rows = [["status", *(str(info["status"]) for info in infos)], ["epochs", *(str(info["epoch"]) for info in infos)]]
    rows += [[f"best {name}", *(_shown(info["best"].get(name, "")) for info in infos)] for name in figures]
    rows += [[path, *map(_shown, values)] for path, values in found["settings"].items()]
    for line in columns(rows, head=("", *(f"{info['name']} ({info['id']})" for info in infos))):
        output.text(line)


_NO_FIGURES = ("metric", "step", "seconds", "samples_per_second")


def _figure(info: RunInfo) -> str:
    name = str(info.best.get("metric", ""))
    value = info.best.get(name)
    return f"{name} {value:.4g}" if isinstance(value, float) else ""


def _when(created: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(created)) if created else ""


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(item)}" for key, item in value.items())
    return "default" if value is None else str(value)
