"""How well models leave: every format of several networks, read back, with differences, sizes and latencies.

`python -m benchmarks.exports [PROJECT.lwr ...] [--data DIR] [--formats a,b] [-o FILE]` trains each project for one
epoch and exports it in every format. Without projects: eight small ones that need no download. What fails is a row too.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from engine.examples import load_example
from engine.formats import FORMATS, ExportOptions
from engine.places import Places
from engine.problem import ProblemError
from engine.project import Project
from engine.projectfile import read_project
from engine.runtime.export import export_run
from engine.runtime.restore import Restored, load_run
from engine.runtime.session import run
from engine.settings import set_value

MODELS: dict[str, tuple[str, tuple[str, ...]]] = {
    "digits-mlp": ("digits-mlp", ()),
    "digits-cnn": ("digits-cnn", ()),
    "digits-cnn, batch norm": ("digits-cnn", ("nodes.features.conv1.normalization=batch_norm",)),
    "digits-cnn, statistics per pixel": ("digits-cnn", ("recipe.preprocess.standardize=feature",)),
    "digits-mlp, weight norm": ("digits-mlp", ("nodes.hidden1.reparametrize=weight_norm",)),
    "digits-lstm": ("digits-lstm", ()),
    "two-inputs": ("two-inputs", ()),
    "spirals": ("spirals", ()),
}
VARIANTS = (
    *((name, ExportOptions()) for name in FORMATS),
    ("torch_export", ExportOptions(fold=True, preprocess=True)), ("torch_export", ExportOptions(half=True)),
    ("onnx", ExportOptions(preprocess=True)), ("onnx", ExportOptions(int8=True)),
    ("safetensors", ExportOptions(half=True)),
)  # fmt: skip


def projects(paths: list[Path]) -> Iterator[tuple[str, Project]]:
    for path in paths:
        yield path.stem, read_project(path).project
    for name, (example, settings) in {} if paths else MODELS.items():
        project = load_example(example)
        for setting in settings:
            path, _, value = setting.partition("=")
            project = set_value(project, path, value)
        yield name, project


def trained(project: Project, folder: Path, places: Places) -> Restored:
    project = set_value(project, "recipe.epochs", "1")
    *_, ended = run(project, runs=folder, places=places, threads=1, device="cpu")
    if ended.outcome != "completed":
        raise SystemExit(f"{project.name}: {ended.problem}")
    return load_run(Path(ended.run))


def rows(restored: Restored, name: str, folder: Path, places: Places, formats: list[str]) -> Iterator[str]:
    for format, options in VARIANTS:
        if format not in formats:
            continue
        label = " ".join([format, *options.chosen])
        path = folder / f"model{FORMATS[format].suffix}"
        try:
            report = export_run(restored, path, format=format, places=places, options=options)
        except ProblemError as fault:
            yield f"| {name} | {label} | {fault.problem.happened} | | | | |"
            continue
        agree = "" if report.agreement is None else f"{report.agreement:.0%}"
        yield (
            f"| {name} | {label} | {report.largest_difference:.2g} | {report.largest_relative_difference:.2g} "
            f"| {agree} | {report.bytes:,} | {report.latency_ms:.3g} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("projects", nargs="*", type=Path)
    parser.add_argument("--data", type=Path, help="folder to look for data in first")
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    lines = ["| model | format | largest difference | relative | classes agree | bytes | ms per sample |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        places = Places(folder=options.data or Path(folder))
        for place, (name, project) in enumerate(projects(options.projects)):
            restored = trained(project, Path(folder) / f"runs{place}", places)
            for line in rows(restored, name, Path(folder), places, options.formats.split(",")):
                lines.append(line)
                print(line, flush=True)
    if options.output:
        options.output.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
