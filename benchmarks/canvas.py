"""How fast the canvas is with 1,000 layers: opening, panning, zooming, dragging, and a tick of a training.

Run it with `python benchmarks/canvas.py`. Every figure is a median over many frames, painting included; a frame at 60
per second may take 16.7 ms. Without a display it paints into memory, which costs the same: Qt draws with the processor.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from engine.analysis import Analysis, NodeFacts
from engine.events import Probed, RunStarted
from engine.graph import Edge, Graph, Node
from engine.project import Project
from engine.tensor import TensorInfo
from engine.timeline import Timeline
from gui import style
from gui.canvas.view import CanvasView
from gui.document import Document

NUM_LAYERS = 1_000
FRAME_MS = 1000 / 60
VIEW = (1328, 982)
"""The canvas of a full-screen window."""


def network(num_layers: int, across: int = 40) -> Project:
    """Layers in rows, each row a chain."""
    types = ("linear", "relu", "batch_norm1d", "dropout")
    nodes = {
        f"n{index}": Node(
            f"n{index}", f"layer{index}", types[index % 4], x=200.0 * (index % across), y=110.0 * (index // across)
        )
        for index in range(num_layers)
    }
    edges = tuple(
        Edge(f"n{index}", "out", f"n{index + 1}", "x") for index in range(num_layers - 1) if (index + 1) % across
    )
    return Project(graph=Graph(nodes=nodes, edges=edges))


def analysis_of(project: Project) -> Analysis:
    """Shapes and paths as a check would find them."""
    nodes = {}
    for index, key in enumerate(project.graph.nodes):
        shape = TensorInfo((64 + index % 7,))
        learns = index % 4 in (0, 2)
        nodes["", key] = NodeFacts(
            inputs={"x": (TensorInfo((64,)),)}, outputs={"out": shape}, parameters=100 if learns else 0,
            paths=(f"layer{index}",) if learns else (),
        )  # fmt: skip
    return Analysis(nodes=nodes)


def frames(view: CanvasView, count: int, act: Callable[[int], object]) -> list[float]:
    """Milliseconds of `count` frames: one action, then the painting that it causes."""
    found = []
    for index in range(count):
        begun = time.perf_counter()
        act(index)
        QApplication.processEvents()
        found.append((time.perf_counter() - begun) * 1e3)
    return found


def report(name: str, times: list[float]) -> None:
    """One line: median, 95th percentile, and the share of a frame that the median takes."""
    high = quantiles(times, n=20)[-1]
    print(f"{name:34} median {median(times):6.2f} ms   p95 {high:6.2f} ms   {median(times) / FRAME_MS:5.2f} of a frame")


def main() -> None:
    """Prints every figure."""
    application = QApplication([])
    style.follow_theme(application)
    project = network(NUM_LAYERS)
    document = Document()
    view = CanvasView(document)
    view.resize(*VIEW)
    view.show()
    application.processEvents()

    begun = time.perf_counter()
    document.adopt(project)
    view.show_rect(view.scene.bounds(), glide=False)
    view.repaint()
    application.processEvents()
    print(f"{NUM_LAYERS} layers open in {time.perf_counter() - begun:.2f} s (may take 1 s)")
    document.accept(analysis_of(project), project)
    time_looks(view)
    time_edits(view, document)
    for num_layers in (100, NUM_LAYERS):
        smaller = network(num_layers, 9 if num_layers == 100 else 40)
        document.adopt(smaller)
        document.accept(analysis_of(smaller), smaller)
        time_ticks(view, document)


def time_looks(view: CanvasView) -> None:
    """Panning and zooming in every look."""
    for zoom in (1.0, 0.5, 0.15):
        view.aim(view.scene.bounds().center(), zoom)
        frames(view, 2, lambda _: view.invalidate_all())
        report(f"pan at {zoom:.0%}", frames(view, 120, lambda index: view.pan(-9 if index % 60 < 30 else 9, 4)))
        report(f"whole picture at {zoom:.0%}", frames(view, 20, lambda _: view.invalidate_all()))
    middle = QPointF(VIEW[0] / 2, VIEW[1] / 2)
    view.aim(view.scene.bounds().center(), 1.0)
    report(
        "zoom by the wheel, 35 to 140 %", frames(view, 32, lambda i: view.zoom_at(middle, 0.84 if i % 16 < 8 else 1.19))
    )


def time_edits(view: CanvasView, document: Document) -> None:
    """A drag's preview, and an edit with all that follows from it on the canvas."""
    view.aim(view.scene.bounds().center(), 1.0)
    key = ("", "n500")
    view.ensure_seen(view.scene.bounds([key]))
    report("drag of one layer", frames(view, 60, lambda _: view.invalidate(view.scene.preview([key], 2, 1))))
    document.selection.select([key])
    report("edit of one layer", frames(view, 30, lambda index: view.nudge(8 if index % 2 else -8, 0)))


def time_ticks(view: CanvasView, document: Document) -> None:
    """A tick of a training with gradient flow on, for 50 layers in view."""
    layers = tuple(path for facts in document.analysis.nodes.values() for path in facts.paths)
    timeline = Timeline()
    timeline.add(
        RunStarted(
            run="", name="", device="cpu", threads=1, seed=0, epochs=1, steps_per_epoch=1, train_samples=1,
            val_samples=1, parameters=1, trainable=1, layers=layers,
        )
    )  # fmt: skip
    view.show_timeline(timeline)
    view.aim(view.scene.bounds().center(), 0.72)

    def probe(step: int) -> None:
        gradient = {path: 10 ** (-3.0 + (row * 7919 + step * 31) % 100 / 300) for row, path in enumerate(layers)}
        timeline.add(Probed(step=step + 1, epoch=1, gradient=gradient, weight=gradient))

    for step in range(40):
        probe(step)
    frames(view, 2, lambda _: view.tick())
    alone, painted = [], []
    for step in range(40, 120):
        probe(step)
        begun = time.perf_counter()
        view.tick()
        if step % 2:
            alone.append((time.perf_counter() - begun) * 1e3)
        QApplication.processEvents()
        if not step % 2:
            painted.append((time.perf_counter() - begun) * 1e3)
    seen = view.seen_rect()
    shown = sum(1 for box in view.scene.boxes.values() if box.layers and box.rect.intersects(seen))
    report(f"tick of {len(layers)} layers, evidence only", alone)
    report(f"tick of {len(layers)}, {shown} in view, and flush", painted)


if __name__ == "__main__":
    main()
