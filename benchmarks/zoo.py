"""Every classifier of torchvision as a graph and back: is it the same network, and how long does it take?

    python -m benchmarks.zoo [--only NAME ...] [--results FILE] [--size PX] [--no-training] [--fresh]

Weights are random but seeded, and stirred so that nothing is 0 or 1 (statistics of batch norm, layer scales, tokens).
For each network, at one thread:

- file: network -> graph -> text of a project file -> graph -> network, all weights handed over; its predictions must be
  the original's bit for bit, and keys and values of its `state_dict` too;
- code: the generated Python file gives the same in a process that can see torch only, neither torchvision nor this
  program;
- training: with the same seed, outputs, all gradients and buffers of one step are the same (up to 70 million
  parameters);
- control: a norm's eps changed, and an activation changed, must be noticed;
- seconds of the import (tracing, layout, check, comparison), of the first check alone, and of building the network;
- speed: how fast the rebuilt network predicts, relative to the original (fastest of several turns each).

Results are kept in `--results` line by line; a network that stands there is not run again unless `--fresh`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine.analysis import Analysis
from engine.declare import find
from engine.project import Project
from engine.projectfile import from_json, to_text
from engine.runtime.analyze import Memo, analyze
from engine.runtime.importing import import_module
from engine.runtime.importing.prove import on_meta
from engine.runtime.importing.torchvision_project import bring_torchvision
from engine.runtime.importing.zoo import cards

LARGEST_TRAINED = 70_000_000
LARGEST_CONTROLLED = 150_000_000
FIXED = ("vit_", "maxvit", "inception", "googlenet")
"""Networks that take images of one size only, or have an auxiliary head that needs a large one."""
HEAD = ("network", "params", "size", "file", "code", "train", "control", "import s", "check s", "build s", "speed")

_CHILD = """
import sys
for name in ("torchvision", "engine", "gui"):
    sys.modules[name] = None
import torch
torch.set_num_threads(1)
torch.backends.mha.set_fastpath_enabled(False)
for line in sys.stdin:
    code, kind, weights, result = line.rstrip("\\n").split("\\t")
    scope = {}
    exec(compile(open(code, encoding="utf-8").read(), code, "exec"), scope)
    with torch.device("meta"):
        model = scope[kind]()
    held = torch.load(weights, weights_only=True, mmap=True)
    model.load_state_dict(held["state"], strict=True, assign=True)
    with torch.no_grad():
        found = model.eval()(held["x"])
    torch.save(found[0] if isinstance(found, tuple) else found, result)
    del model, held
    print("done", flush=True)
"""


def main() -> None:
    """Runs what was asked for and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME")
    parser.add_argument("--results", type=Path, default=Path(tempfile.gettempdir()) / "layerwright-zoo.jsonl")
    parser.add_argument("--size", type=int, default=224, help="largest side of images where a network takes any")
    parser.add_argument("--no-training", dest="training", action="store_false")
    parser.add_argument("--fresh", action="store_true", help="run again what has results")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)
    known = {} if options.fresh else known_results(options.results)
    wanted = sorted(options.only or cards(), key=lambda name: cards()[name].parameters)
    print(line(HEAD))
    with plain_process() as elsewhere:
        for name in wanted:
            row = known.get(name)
            if row is None:
                row = judged(name, options.size, elsewhere, training=options.training)
                with options.results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
            known[name] = row
            print(line(cells(row)), flush=True)
    rows = [known[name] for name in wanted]
    print(summary(rows))


def known_results(path: Path) -> dict[str, dict[str, Any]]:
    """Rows of earlier runs by network."""
    if not path.exists():
        return {}
    rows = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines() if text.strip()]
    return {row["name"]: row for row in rows}


def judged(name: str, largest: int, elsewhere: Callable[..., Tensor], *, training: bool) -> dict[str, Any]:
    """Everything about one network; what cannot be imported says why in `fault`."""
    row: dict[str, Any] = {"name": name, "parameters": cards()[name].parameters}
    try:
        return {**row, **_judged(name, largest, elsewhere, training=training)}
    except Exception as fault:
        return {**row, "fault": f"{type(fault).__name__}: {fault}"[:300]}


def _judged(name: str, largest: int, elsewhere: Callable[..., Tensor], *, training: bool) -> dict[str, Any]:
    import torchvision

    native = cards()[name].best.size
    side = native if name.startswith(FIXED) else min(native, largest)
    brought = bring_torchvision(name, size=side)
    project = from_json(json.loads(to_text(brought.project))).project
    start = time.perf_counter()
    analysis = analyze(project, memo=Memo())
    check = time.perf_counter() - start
    torch.manual_seed(0)
    original = stirred(torchvision.models.get_model(name, weights=None, **made_with(name, side))).eval()
    imported = import_module(original, {"x": ((3, side, side), torch.float32)})
    state = {imported.key(key): value for key, value in original.state_dict().items()}
    start = time.perf_counter()
    copy = filled(analysis, state)
    seconds = time.perf_counter() - start
    x = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(1))
    expected = first(original, x)
    same = torch.equal(first(copy, x), expected) and bool(torch.isfinite(expected).all()) and bool(expected.std() > 0)
    keys = not imported.moved and set(copy.state_dict()) == set(original.state_dict()) and all(
        torch.equal(value, original.state_dict()[key]) for key, value in copy.state_dict().items()
    )  # fmt: skip
    row = {"size": side, "file": same, "keys": keys, "import": brought.seconds, "check": check, "build": seconds}
    row["code"] = torch.equal(elsewhere(analysis, state, x), expected)
    row["speed"] = speed(original, copy, x)
    count = cards()[name].parameters
    if count <= LARGEST_CONTROLLED:
        row["control"] = controls(project, state, x, expected)
    if training and count <= LARGEST_TRAINED:
        row["train"] = trained_alike(original, copy, side, imported.key)
    return row


def made_with(name: str, side: int) -> dict[str, Any]:
    """What a builder is told beside the size it assumes anyway."""
    return {"image_size": side} if name.startswith("vit_") else {}


def stirred(module: nn.Module) -> nn.Module:
    """With numbers everywhere that are neither 0 nor 1, of a size that lets the results stay finite."""
    draw = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for key, item in (*module.named_parameters(), *module.named_buffers()):
            if not item.is_floating_point() or "relative" in key:
                continue
            noise = torch.rand(item.shape, generator=draw)
            if key.endswith("running_var"):
                item.copy_(noise + 0.5)
            elif "layer_scale" in key:
                item.copy_(noise)
            elif item.dim() < 2 or not item.any():
                item.add_((noise - 0.5) * 0.2)
    return module


def filled(analysis: Analysis, state: dict[str, Tensor]) -> nn.Module:
    """The network of a graph with these weights; statistics are copies, since training changes them."""
    model = on_meta(analysis)
    buffers = {key for key, _ in model.named_buffers()}
    given = {key: value.clone() if key in buffers else value for key, value in state.items()}
    model.load_state_dict(given, strict=True, assign=True)
    return model.eval()


def first(model: nn.Module, x: Tensor) -> Tensor:
    """The prediction, without what auxiliary heads say."""
    with torch.no_grad():
        found = model(x)
    return found if isinstance(found, Tensor) else found[0]


def controls(project: Project, state: dict[str, Tensor], x: Tensor, expected: Tensor) -> bool | None:
    """True when every change is noticed that ought to be; None where there is nothing to change."""
    changed = [made for made in (with_eps(project), with_activation(project)) if made is not None]
    noticed = [not torch.equal(first(filled(analyze(made), state), x), expected) for made in changed]
    return all(noticed) if noticed else None


def with_eps(project: Project) -> Project | None:
    """With the eps of the first norm ten times as large."""
    return _changed(project, lambda kind, params: (kind, {**params, "eps": 10 * _eps(kind, params)})
                    if "norm" in kind else None)  # fmt: skip


def with_activation(project: Project) -> Project | None:
    """With another function in place of the first activation."""
    others = {"relu": "elu", "relu6": "relu", "silu": "gelu", "gelu": "silu", "hard_swish": "silu"}
    return _changed(project, lambda kind, params: (others[kind], {}) if kind in others else None)


def _eps(kind: str, params: dict[str, Any]) -> float:
    declaration = find("layer", kind)
    assert declaration is not None
    return float(params.get("eps", declaration.defaults["eps"]))


def _changed(project: Project, change: Callable[[str, dict[str, Any]], tuple[str, dict[str, Any]] | None]) -> (
    Project | None
):  # fmt: skip
    for definition, level in project.graph.levels():
        for key, node in level.nodes.items():
            made = change(node.type, dict(node.params))
            if made is not None:
                nodes = {**level.nodes, key: replace(node, type=made[0], params=made[1])}
                return project.with_graph(project.graph.with_level(definition, replace(level, nodes=nodes)))
    return None


def trained_alike(original: nn.Module, copy: nn.Module, side: int, key_of: Callable[[str], str]) -> bool:
    """Whether one step of both gives the same outputs, gradients and buffers."""
    x = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(3))
    results = []
    for model in (original, copy):
        torch.manual_seed(4)
        out = model.train()(x)
        found = [item for item in (out if isinstance(out, tuple) else (out,)) if item is not None]
        torch.stack([item.square().mean() for item in found]).sum().backward()
        results.append(found)
    same = all(torch.equal(one, two) for one, two in zip(*results, strict=True))
    ours = dict(copy.named_parameters())
    for key, parameter in original.named_parameters():
        other = ours[key_of(key)].grad
        same = same and ((parameter.grad is None and other is None) or torch.equal(parameter.grad, other))
    buffers = dict(copy.named_buffers())
    return same and all(torch.equal(value, buffers[key_of(key)]) for key, value in original.named_buffers())


def speed(original: nn.Module, copy: nn.Module, x: Tensor, budget: float = 4.0) -> float:
    """Speed of the copy relative to the original: fastest of several turns, taken alternately."""
    times: dict[int, list[float]] = {0: [], 1: []}
    end = time.perf_counter() + budget
    turn = 0
    while len(times[1]) < 3 or (time.perf_counter() < end and len(times[1]) < 40):
        for place in (0, 1) if turn % 2 else (1, 0):
            start = time.perf_counter()
            first((original, copy)[place], x)
            times[place].append(time.perf_counter() - start)
        turn += 1
    return min(times[0]) / min(times[1])


@contextmanager
def plain_process() -> Iterator[Callable[..., Tensor]]:
    """A process that has only torch: give it a checked graph, weights and samples, and it predicts."""
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, "-c", _CHILD], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={"PATH": ""},
        ) as child,
    ):  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        to, back = child.stdin, child.stdout

        def predict(analysis: Analysis, state: dict[str, Tensor], x: Tensor) -> Tensor:
            code, weights, result = (Path(folder) / name for name in ("net.py", "weights.pt", "result.pt"))
            code.write_text(analysis.source, encoding="utf-8")
            torch.save({"state": state, "x": x}, weights)
            to.write("\t".join((str(code), analysis.class_name, str(weights), str(result))) + "\n")
            to.flush()
            if back.readline() != "done\n":
                raise RuntimeError("the file does not run by itself")
            found: Tensor = torch.load(result, weights_only=True)
            return found

        yield predict


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """One network as words."""
    if "fault" in row:
        return row["name"], f"{row['parameters'] / 1e6:.1f} M", row["fault"]
    words = {True: "same", False: "DIFFERS", None: "-"}
    caught = {True: "caught", False: "MISSED", None: "-"}
    return (
        row["name"], f"{row['parameters'] / 1e6:.1f} M", str(row["size"]), words[row["file"] and row["keys"]],
        words[row["code"]], words[row.get("train")], caught[row.get("control")], f"{row['import']:.2f}",
        f"{row['check']:.2f}", f"{row['build']:.2f}", f"{row['speed']:.2f}",
    )  # fmt: skip


def line(words: tuple[str, ...]) -> str:
    """The words in columns."""
    widths = (20, 8, 5, 8, 8, 8, 8, 9, 8, 8, 6)
    return "  ".join(word.ljust(width) for word, width in zip(words, widths, strict=False)).rstrip()


def summary(rows: list[dict[str, Any]]) -> str:
    """How many hold."""

    def count(name: str) -> str:
        held = [row[name] for row in rows if row.get(name) is not None]
        return f"{sum(held)} of {len(held)}"

    speeds = sorted(row["speed"] for row in rows if "speed" in row)
    middle = f"{speeds[len(speeds) // 2]:.3f}, least {speeds[0]:.3f}" if speeds else "-"
    return (
        f"file {count('file')}, keys and values {count('keys')}, code {count('code')}, training {count('train')}, "
        f"controls {count('control')}; speed {middle}"
    )


if __name__ == "__main__":
    main()
