"""What the window costs: start, memory, stalls while torch warms up, training speed beside it, lateness of its events.

    xvfb-run -a -s "-screen 0 1600x1000x24" python -m benchmarks.window [--seconds 10] [--rounds 2]

Needs a display (a virtual one will do). Every figure comes from processes of its own. In the process that trains beside
the window, slices of a second and a half in which the window lives and in which its thread sleeps take turns: their
ratio is what the window takes from the training, whatever the machine does meanwhile.
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
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SLICE = 1.5
"""Seconds in which the window lives, or sleeps, before it is the other's turn."""

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
        alone = _ask("headless", network, options.seconds)["speed"]
        rounds = [_ask("beside", network, options.seconds) for _ in range(options.rounds)]
        ratio, busy, late, worst = (
            statistics.median(one[name] for one in rounds) for name in ("ratio", "busy", "late", "worst")
        )
        least, most = (f(one["ratio"] for one in rounds) for f in (min, max))
        print(f"{network}: {alone:,.0f} samples/s headless")
        print(f"{'  with the window / without':<38}{ratio:8.2f}     (goal 0.90; {least:.2f} to {most:.2f})")
        print(f"{'  the window keeps its thread busy':<38}{busy * 100:8.1f} %")
        print(f"{'  events late, 99th percentile':<38}{late:8.1f} ms  (goal 33 ms; worst {worst:.0f} ms)")


def _ask(part: str, network: str = "", seconds: float = 0.0) -> dict[str, float]:
    home = tempfile.mkdtemp()
    environment = {**os.environ, "LAYERWRIGHT_HOME": home, "LAYERWRIGHT_CONFIG": home, "BEGUN": str(time.time())}
    environment.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # with it every start would compile our modules anew; nobody's does
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


def _headless(options: argparse.Namespace) -> dict[str, float]:
    from engine.events import Step
    from engine.places import default_places
    from engine.runtime.session import run

    project, folder = _project(options.network), Path(os.environ["LAYERWRIGHT_HOME"])
    begun = first = 0.0
    for event in run(project, runs=folder / "runs", places=default_places(None)):
        if isinstance(event, Step) and event.step > 200:
            now = time.perf_counter()
            if not begun:
                begun, first = now, event.step
            elif now - begun > options.seconds:
                return {"speed": (event.step - first) * 32 / (now - begun)}
    raise SystemExit("training ended too early")


def _beside(options: argparse.Namespace) -> dict[str, float]:
    """Training while the window lives and while its thread sleeps, in turns: what the window itself takes."""
    from PySide6.QtCore import QEventLoop, QTimer

    from gui.app import make_application
    from gui.window import MainWindow

    def live(seconds: float) -> None:
        # No polling: the benchmark's own timers would be counted as the window's.
        loop = QEventLoop()
        QTimer.singleShot(int(seconds * 1000), loop.quit)
        loop.exec()

    def speed(pass_time: Callable[[float], object]) -> float:
        begun, before = time.perf_counter(), steps[0]
        pass_time(_SLICE)
        return (steps[0] - before) / (time.perf_counter() - begun)

    def count(*_step: object) -> None:
        steps[0] += 1

    make_application()
    window = MainWindow()
    window.document.adopt(_project(options.network))
    window.show_first()
    window.start()
    _wait(lambda: bool(window.document.analysis.source), 60)
    window.runflow.train()
    _wait(lambda: window.training.timeline.step > 200, 60)
    from torch.optim.optimizer import register_optimizer_step_post_hook

    steps = [0]
    register_optimizer_step_post_hook(count)
    ratios, busy = [], []
    for _ in range(max(1, int(options.seconds / _SLICE))):
        live(0.3)  # takes what came while it slept
        spent, begun = time.thread_time(), time.perf_counter()
        beside = speed(live)
        busy.append((time.thread_time() - spent) / (time.perf_counter() - begun))
        ratios.append(beside / speed(time.sleep))
    lateness = _Lateness()
    _wait(lambda: False, options.seconds / 2)
    late, worst = lateness.percentile(0.99), max(lateness.late)
    window.training.stop()
    _wait(lambda: not window.training.active, 30)
    window.close()
    return {"ratio": statistics.median(ratios), "busy": statistics.median(busy), "late": late, "worst": worst}


_PARTS = {"start": _start, "headless": _headless, "beside": _beside}

if __name__ == "__main__":
    main()
