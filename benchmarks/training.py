"""Training speed as ratios measured in one run: a whole recorded session against loops that people write by hand.

    python -m benchmarks.training [--data DIR] [--rounds 7] [--samples 20000] [--threads 1] [--only fashion|cifar]

Contestants run in turns, round by round, and each ratio is taken within a round; the medians are printed. So a busy
machine slows all of them alike. `--data` names a folder with torchvision's FashionMNIST and CIFAR10; without it, or
where one is missing, drawn arrays of the same shape are used and that is said (speed does not depend on the pixels).
Ours is the session with everything recorded: events on disk, gradient flow, figures of the epoch. Times run from the
first to the last step of an epoch, without validation, which the loops by hand do not have.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from engine.events import RunEnded, Step
from engine.examples import load_example
from engine.places import Places
from engine.project import Project
from engine.runtime.build import build
from engine.runtime.data.batched import horizontal_flip, random_crop
from engine.runtime.session import run
from engine.runtime.setup import make_ready

VALIDATION = 500


@dataclass(frozen=True)
class Images:
    """uint8 images (N, C, H, W) and classes (N,), and the words that say where they come from."""

    x: np.ndarray[Any, Any]
    y: np.ndarray[Any, Any]
    words: str


@dataclass(frozen=True)
class Goal:
    """A ratio that must be reached: ours over the other; 0 where it is only shown."""

    other: str
    least: float


class Tutorial(Dataset[tuple[Tensor, int]]):
    """What `torchvision.datasets` with ToTensor does for one sample: a PIL image, then a float tensor."""

    def __init__(self, images: Images) -> None:
        from torchvision.transforms import ToTensor

        self._pixels, self._classes, self._to_tensor = images.x[:, 0], images.y, ToTensor()

    def __len__(self) -> int:
        return len(self._pixels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        from PIL import Image

        return self._to_tensor(Image.fromarray(self._pixels[index], mode="L")), int(self._classes[index])


def load_images(name: str, data: Path | None, shape: tuple[int, ...], samples: int) -> Images:
    """The training images of a torchvision set below `data`, or drawn ones."""
    total = samples + VALIDATION
    try:
        import torchvision

        found = getattr(torchvision.datasets, name)(root=str(data), train=True, download=False) if data else None
    except RuntimeError:
        found = None
    if found is None:
        draw = np.random.default_rng(0)
        x = draw.integers(0, 256, (total, *shape), dtype=np.uint8)
        return Images(x, draw.integers(0, 10, total), f"drawn arrays of the shape of {name}")
    x = np.asarray(found.data)[:total]
    x = x[:, None] if x.ndim == 3 else x.transpose(0, 3, 1, 2)
    return Images(np.ascontiguousarray(x), np.asarray(found.targets)[:total], f"{name} from --data")


def as_project(example: str, images: Images, folder: Path, samples: int, **recipe: Any) -> Project:
    """A built-in project that reads these images, for one epoch."""
    np.savez(folder / "images.npz", x_train=images.x[:samples], y_train=images.y[:samples],
             x_val=images.x[samples:], y_val=images.y[samples:])  # fmt: skip
    project = load_example(example)
    values = {"data": {"type": "npz", "path": str(folder / "images.npz")}, "epochs": 1, **recipe}
    for name, value in values.items():
        project = project.with_recipe(project.recipe.with_value(name, value))
    ready = make_ready(project, Places(folder=folder), device=torch.device("cpu"), threads=1)
    ready.data.close()
    return ready.project


def ours(project: Project, folder: Path, threads: int) -> float:
    """Samples per second of a recorded session."""
    first = last = 0.0
    steps = 0
    for event in run(project, runs=folder / "runs", places=Places(folder=folder), device="cpu", threads=threads):
        if type(event) is Step:
            last = time.perf_counter()
            first = first or last
            steps += 1
        if isinstance(event, RunEnded):
            assert event.outcome == "completed", event.problem
    return (steps - 1) * project.recipe.batch_size / (last - first)


def trained(model: nn.Module, optimizer: torch.optim.Optimizer, batches: Any, *, look: bool = False) -> float:
    """Samples per second of the loop in every tutorial; `look` fetches the loss of each step."""
    loss_of, total, samples = nn.CrossEntropyLoss(), 0.0, 0
    start = time.perf_counter()
    for x, y in batches:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        samples += len(y)
        if look:
            total += loss.item()
    return samples / (time.perf_counter() - start)


def fashion(images: Images, folder: Path, samples: int, threads: int) -> dict[str, Callable[[], float]]:
    """The Fashion-MNIST network with three hidden layers of 100, batch 32, SGD with momentum."""
    project = as_project("fashion-mlp", images, folder, samples, batch_size=32)
    quiet = project.with_recipe(project.recipe.with_value("gradient_flow", False))
    x = torch.from_numpy(images.x[:samples]).float() / 255
    y = torch.from_numpy(images.y[:samples]).long()

    def fresh(**flags: Any) -> tuple[nn.Module, torch.optim.Optimizer]:
        model = build(project).model
        return model, torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9, **flags)

    def bare(**flags: Any) -> float:
        order = torch.randperm(samples)
        return trained(*fresh(**flags), zip(x[order].split(32), y[order].split(32), strict=True))

    part = Images(images.x[:samples], images.y[:samples], "")
    return {
        "ours": lambda: ours(project, folder, threads),
        "ours without gradient flow": lambda: ours(quiet, folder, threads),
        "bare loop": bare,
        "bare loop, fused": lambda: bare(fused=True),
        "TensorDataset": lambda: trained(*fresh(), DataLoader(TensorDataset(x, y), 32, shuffle=True)),
        "tutorial": lambda: trained(*fresh(), DataLoader(Tutorial(part), 32, shuffle=True), look=True),
    }


@dataclass(frozen=True)
class _Settings:
    p: float = 0.5
    padding: int = 4


def cifar(images: Images, folder: Path, samples: int, threads: int) -> dict[str, Callable[[], float]]:
    """The CIFAR-10 network at batch 128, against a loop with the same batched crop and flip."""
    project = as_project("cifar-cnn", images, folder, samples, batch_size=128)
    pixels, y = torch.from_numpy(images.x[:samples]), torch.from_numpy(images.y[:samples]).long()
    mean = (pixels.float() / 255).mean((0, 2, 3), keepdim=True)
    deviation = (pixels.float() / 255).std((0, 2, 3), keepdim=True)

    def augmented() -> Any:
        order = torch.randperm(samples)
        for raw, classes in zip(pixels[order].split(128), y[order].split(128), strict=True):
            flipped = horizontal_flip(raw, _Settings(), torch.rand(len(raw), 1), 255.0)
            moved = random_crop(flipped, _Settings(), torch.rand(len(raw), 2), 255.0)
            yield (moved.float() / 255 - mean) / deviation, classes

    def bare() -> float:
        model = build(project).model
        return trained(model, torch.optim.AdamW(model.parameters(), lr=0.001), augmented())

    return {"ours": lambda: ours(project, folder, threads), "bare loop": bare}


def measure(title: str, contestants: dict[str, Callable[[], float]], goals: list[Goal], rounds: int) -> None:
    """Runs everybody in turns, one round to warm up, and prints median speeds and ratios."""
    table: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        names = list(contestants)
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            speed = contestants[name]()
            if number:
                table[name].append(speed)
    print(f"\n{title}")
    for name, speeds in table.items():
        print(f"  {name:<28}{median(speeds):>10,.0f} samples/s")
    for goal in goals:
        ratios = [mine / other for mine, other in zip(table["ours"], table[goal.other], strict=True)]
        found = median(ratios)
        verdict = f"goal {goal.least:.2f} {'reached' if found >= goal.least else 'MISSED'}; " if goal.least else ""
        print(f"  ours / {goal.other:<28}{found:>6.2f}  ({verdict}{min(ratios):.2f} to {max(ratios):.2f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", choices=("fashion", "cifar"), default="")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.threads} thread(s), {options.rounds} rounds")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.only in ("", "fashion"):
            images = load_images("FashionMNIST", options.data, (1, 28, 28), options.samples)
            goals = [Goal("tutorial", 2.5), Goal("TensorDataset", 1.15), Goal("bare loop", 0.85),
                     Goal("bare loop, fused", 0.0), Goal("ours without gradient flow", 0.97)]  # fmt: skip
            title = f"Fashion-MNIST MLP, batch 32, {images.words}"
            measure(title, fashion(images, folder, options.samples, options.threads), goals, options.rounds)
        if options.only in ("", "cifar"):
            samples = max(1280, options.samples // 5)
            images = load_images("CIFAR10", options.data, (3, 32, 32), samples)
            title = f"CIFAR-10 CNN, batch 128, random crop and flip, {images.words}"
            measure(title, cifar(images, folder, samples, options.threads), [Goal("bare loop", 0.95)], options.rounds)


if __name__ == "__main__":
    main()
