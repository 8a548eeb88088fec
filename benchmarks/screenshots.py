"""Takes the README's pictures from the real window, trained for real.

    xvfb-run -a -s "-screen 0 1600x1000x24" python -m benchmarks.screenshots [--to DIR]

Needs a display (a virtual one will do). Nothing in the pictures is drawn for the picture: the window opens a built-in
project, trains it, and is photographed while it does.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEventLoop, Qt, QTimer

from engine import edits, groups
from engine.examples import load_example
from engine.graph import Graph
from engine.layout import arrange
from engine.project import Project
from engine.recipe import Recipe

HERE = Path(__file__).resolve().parent.parent / "resources" / "screenshots"


def wait(until: Callable[[], bool], seconds: float = 60.0) -> None:
    """Lets the window live until something holds."""
    loop = QEventLoop()
    poll = QTimer()
    poll.timeout.connect(lambda: until() and loop.quit())
    poll.start(20)
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec()
    poll.stop()


def pause(seconds: float) -> None:
    """Lets the window live for a while."""
    wait(lambda: False, seconds)


def deep_network() -> Project:
    """A deep one on the digits: a convolution, twelve dense layers as one block, an answer."""
    graph, previous, ids = Graph(), "", []
    for kind, params in (
        ("input", {}), ("conv2d", {"filters": 8, "padding": "same"}), ("relu", {}), ("flatten", {}),
        ("linear", {"units": 48}), ("relu", {}), ("linear", {"units": 10}), ("output", {}),
    ):  # fmt: skip
        names = {"input": "images", "conv2d": "conv", "output": "scores"}
        graph, node = edits.add_node(graph, "", kind, params=params, name=names.get(kind, ""))
        if previous:
            graph = edits.connect(graph, "", previous, "out", node.id, "x")
        previous = node.id
        ids.append(node.id)
    graph, block = groups.group(graph, "", ids[4:6], title="hidden")
    graph = edits.set_repeat(graph, "", block, 8)
    graph = edits.set_default(graph, "initializer", {"type": "he_normal"})
    recipe = Recipe({"epochs": 60, "optimizer": {"type": "sgd", "lr": 0.05}, "schedule": {"type": "cosine"}})
    recipe = recipe.with_value("batch_size", 16)
    return Project(name="digits-deep", graph=arrange(graph), recipe=recipe)


def main() -> None:
    """Takes every picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--to", type=Path, default=HERE)
    folder: Path = parser.parse_args().to
    folder.mkdir(parents=True, exist_ok=True)
    home = tempfile.mkdtemp()
    os.environ["LAYERWRIGHT_HOME"] = os.environ["LAYERWRIGHT_CONFIG"] = home
    from gui.app import make_application
    from gui.theme import themes
    from gui.window import MainWindow

    application = make_application()
    themes.set_mode("dark")
    window = MainWindow()
    window.document.adopt(deep_network())
    window.show_first()
    window.resize(1600, 1000)
    window.workspaces.reset()
    window.start()

    def shoot(name: str) -> None:
        application.processEvents()
        window.grab().save(str(folder / f"{name}.png"))

    wait(lambda: bool(window.document.analysis.source))
    window.runflow.train()
    wait(lambda: window.training.timeline.epoch >= 22)
    window.training.scale("recipe.optimizer.lr", 0.5)
    conv = window.document.graph.by_name("conv")
    assert conv is not None
    window.document.selection.select([("", conv.id)])
    wait(lambda: window.training.timeline.epoch >= 34)
    pause(0.3)
    shoot("train-dark")
    themes.set_mode("light")
    pause(0.4)
    shoot("train-light")
    wait(lambda: not window.training.active)
    _compare(window, shoot)
    themes.set_mode("dark")
    _problem(window, shoot)
    window.document.adopt(Project())
    window.close()


def _compare(window: object, shoot: Callable[[str], None]) -> None:
    """Three more runs of the digits with other optimizers, and the page that compares them."""
    for name, optimizer in (
        ("sgd", {"type": "sgd", "lr": 0.05}), ("momentum", {"type": "sgd", "lr": 0.05, "momentum": 0.9}),
        ("adam", {"type": "adam", "lr": 0.001}),
    ):  # fmt: skip
        project = load_example("digits-mlp")
        recipe = Recipe({"epochs": 30, "optimizer": optimizer})
        window.document.adopt(replace(project, name=name, recipe=recipe))  # type: ignore[attr-defined]
        wait(lambda: bool(window.document.analysis.source))  # type: ignore[attr-defined]
        window.runflow.train()  # type: ignore[attr-defined]
        wait(lambda: window.training.active, 10)  # type: ignore[attr-defined]
        wait(lambda: not window.training.active)  # type: ignore[attr-defined]
    window.go_to(2)  # type: ignore[attr-defined]
    pause(0.5)
    table = window.runs.table  # type: ignore[attr-defined]
    for row in range(3):
        table.topLevelItem(row).setCheckState(0, Qt.CheckState.Checked)
    pause(2.0)
    shoot("compare-light")


def _problem(window: object, shoot: Callable[[str], None]) -> None:
    """A wire that does not fit, with the ways to mend it."""
    project = load_example("two-inputs")
    window.document.adopt(project)  # type: ignore[attr-defined]
    pause(1.5)
    graph = project.graph
    last = next(node for node in graph.nodes.values() if node.type == "output")
    before = graph.nodes[graph.incoming(last.id)[0].source]
    change = edits.set_param(graph, "", before.id, "units", 7)
    window.document.edit_graph("Set units", lambda _graph: change)  # type: ignore[attr-defined]
    pause(1.0)
    window.document.selection.select([("", last.id)])  # type: ignore[attr-defined]
    window.show_dock("problems")  # type: ignore[attr-defined]
    pause(1.0)
    window.canvas.fit()  # type: ignore[attr-defined]
    pause(0.8)
    shoot("problem-dark")


if __name__ == "__main__":
    main()
