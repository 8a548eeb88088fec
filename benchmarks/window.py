"""What the window costs: start, memory, stalls while torch warms up, training speed beside it, lateness of its events.

    xvfb-run -a -s "-screen 0 1600x1000x24" python -m benchmarks.window [--seconds 10] [--rounds 2]

Needs a display (a virtual one will do). Every figure comes from processes of its own; training with the window and
without it take turns, and their ratio is taken round by round.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Prints every figure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--network", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(_PARTS[options.part](options)))
        return
    _ask("start")  # writes the bytecode, as the first start of an installed program does
    starts = [_ask("start") for _ in range(3)]
    for words, name, goal in (
        ("window visible", "visible", "1.0 s"), ("first shapes", "shapes", "3.5 s"),
        ("longest stall while torch warms up", "stall", "0.4 s"),
    ):  # fmt: skip
        print(f"{words:<38}{statistics.median(one[name] for one in starts):8.2f} s   (goal {goal})")
    for words, name, goal in (("memory before torch", "before", "200 MB"), ("memory once warm", "after", "900 MB")):
        print(f"{words:<38}{statistics.median(one[name] for one in starts):8.0f} MB  (goal {goal})")
    for network in ("20 x 100", "base MLP"):
        rounds = []
        for _ in range(options.rounds):
            alone = _ask("headless", network, options.seconds)
            beside = _ask("beside", network, options.seconds)
            rounds.append((beside["speed"] / alone["speed"], beside["late"], beside["worst"], alone["speed"]))
        ratio, late, worst, speed = (statistics.median(column) for column in zip(*rounds, strict=True))
        print(f"{network}: {speed:,.0f} samples/s headless")
        print(f"{'  with the window / headless':<38}{ratio:8.2f}     (goal 0.90)")
        print(f"{'  events late, 99th percentile':<38}{late:8.1f} ms  (goal 33 ms; worst {worst:.0f} ms)")


def _ask(part: str, network: str = "", seconds: float = 0.0) -> dict[str, float]:
    home = tempfile.mkdtemp()
    environment = {**os.environ, "LAYERWRIGHT_HOME": home, "LAYERWRIGHT_CONFIG": home, "BEGUN": str(time.time())}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # with it every start would compile our modules anew; nobody's does
    command = [sys.executable, "-m", "benchmarks.window", "--part", part, "--network", network]
    found = subprocess.run(
        [*command, "--seconds", str(seconds)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if found.returncode:
        raise SystemExit(found.stderr)
    answer: dict[str, float] = json.loads([line for line in found.stdout.splitlines() if line.startswith("{")][-1])
    return answer


def _memory() -> float:
    """Resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _wait(until: Any, seconds: float) -> None:
    from PySide6.QtCore import QEventLoop, QTimer

    loop, poll = QEventLoop(), QTimer()
    poll.timeout.connect(lambda: until() and loop.quit())
    poll.start(5)
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec()


class _Lateness:
    """A 5 ms timer and how late each of its ticks came, in ms."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.late: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(5)

    def _tick(self) -> None:
        now = time.perf_counter()
        self.late.append(max(0.0, (now - self._last) * 1000 - 5))
        self._last = now

    def percentile(self, share: float) -> float:
        """The lateness that this share of the ticks kept below."""
        return sorted(self.late)[int(share * (len(self.late) - 1))]


def _start(_options: argparse.Namespace) -> dict[str, float]:
    begun = float(os.environ["BEGUN"])
    from engine.examples import load_example
    from gui.app import make_application
    from gui.window import MainWindow

    application = make_application()
    window = MainWindow()
    window.document.adopt(load_example("digits-mlp"))
    window.show_first()
    application.processEvents()
    visible, before = time.time() - begun, _memory()
    lateness = _Lateness()
    window.start()
    _wait(lambda: bool(window.document.analysis.source), 60)
    shapes = time.time() - begun
    _wait(lambda: False, 3)
    after, stall = _memory(), max(lateness.late) / 1000
    window.close()
    return {"visible": visible, "shapes": shapes, "stall": stall, "before": before, "after": after}


def _project(network: str) -> Any:
    """The network on drawn arrays of Fashion-MNIST's shape: speed does not depend on the pixels."""
    import numpy as np

    from engine import edits, groups
    from engine.graph import Graph
    from engine.layout import arrange
    from engine.project import Project
    from engine.recipe import Recipe

    folder = Path(os.environ["LAYERWRIGHT_HOME"])
    chance = np.random.default_rng(0)
    file = folder / "drawn.npz"
    np.savez(file, x=chance.integers(0, 256, (20_000, 1, 28, 28), dtype=np.uint8), y=chance.integers(0, 10, 20_000))
    graph, previous, ids = Graph(), "", []
    for kind, units in (("input", 0), ("flatten", 0), ("linear", 100), ("relu", 0), ("linear", 10), ("output", 0)):
        graph, node = edits.add_node(graph, "", kind, params={"units": units} if units else {})
        if previous:
            graph = edits.connect(graph, "", previous, "out", node.id, "x")
        previous = node.id
        ids.append(node.id)
    graph, block = groups.group(graph, "", ids[2:4], title="hidden")
    graph = edits.set_repeat(graph, "", block, 20 if network == "20 x 100" else 3)
    graph = edits.set_default(graph, "initializer", {"type": "he_normal"})
    recipe = Recipe({"data": {"type": "npz", "path": str(file)}, "epochs": 10_000})
    return Project(
        name="drawn", graph=arrange(graph), recipe=recipe.with_value("optimizer", {"type": "sgd", "lr": 0.001})
    )


def _speed(steps: list[tuple[float, int]]) -> float:
    """Samples a second between the first and the last of (time, step) pairs at batch 32."""
    (first, begin), (last, end) = steps[0], steps[-1]
    return (end - begin) * 32 / (last - first)


def _headless(options: argparse.Namespace) -> dict[str, float]:
    from engine.events import Step
    from engine.places import default_places
    from engine.runtime.session import run

    project, folder = _project(options.network), Path(os.environ["LAYERWRIGHT_HOME"])
    steps: list[tuple[float, int]] = []
    for event in run(project, runs=folder / "runs", places=default_places(None)):
        if isinstance(event, Step) and event.loss is not None:
            steps.append((time.perf_counter(), event.step))
            steps = [one for one in steps if one[1] > 100] or steps[-1:]
            if steps[-1][0] - steps[0][0] > options.seconds:
                break
    return {"speed": _speed(steps)}


def _beside(options: argparse.Namespace) -> dict[str, float]:
    from gui.app import make_application
    from gui.window import MainWindow

    make_application()
    window = MainWindow()
    window.document.adopt(_project(options.network))
    window.show_first()
    window.start()
    _wait(lambda: bool(window.document.analysis.source), 60)
    window.runflow.train()
    _wait(lambda: window.training.timeline.step > 200, 60)
    lateness = _Lateness()
    timeline = window.training.timeline
    steps = [(time.perf_counter(), timeline.step)]
    _wait(lambda: False, options.seconds)
    steps.append((time.perf_counter(), timeline.step))
    late, worst = lateness.percentile(0.99), max(lateness.late)
    window.training.stop()
    _wait(lambda: not window.training.active, 30)
    window.close()
    return {"speed": _speed(steps), "late": late, "worst": worst}


_PARTS = {"start": _start, "headless": _headless, "beside": _beside}

if __name__ == "__main__":
    main()
