"""The training script of an export ends where the run ended: same losses, same weights, to the last bit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.events import EpochEnded
from engine.examples import load_example
from engine.notebook import notebook_text
from engine.places import Places
from engine.problem import ProblemError
from engine.project import Project
from engine.runtime import export_written
from engine.runtime.analyze import analyze
from engine.runtime.export import export_project, export_run
from engine.runtime.export_script import trained_of
from engine.runtime.restore import Restored, load_run
from engine.runtime.session import run
from engine.script import Script, training_script
from engine.settings import set_value

SMALL = ("recipe.epochs=2", "recipe.data.limit=300")
RECIPES: dict[str, tuple[str, tuple[str, ...]]] = {
    "momentum and odd batches": ("digits-mlp", ("recipe.optimizer.momentum=0.9", "recipe.batch_size=7")),
    "adam along a cosine": ("digits-cnn", ('recipe.schedule={"type":"cosine","warmup":0.5}',)),
    "penalty, bound and clipping": (
        "digits-mlp",
        ('recipe.clip={"type":"norm","limit":0.5}', "nodes.hidden1.max_norm=1.0",
         'nodes.hidden2.regularizer={"type":"l1_l2","l1":0.001,"l2":0.01}'),
    ),
    "weights of classes and augmentation": (
        "digits-cnn",
        ('recipe.loss={"type":"cross_entropy","class_weights":"balanced","label_smoothing":0.1}',
         'recipe.augment=[{"type":"random_crop","padding":1},{"type":"horizontal_flip"},{"type":"shift"}]',
         "recipe.preprocess.standardize=channel", "nodes.features.conv1.normalization=batch_norm"),
    ),
    "groups, gathered batches and averaged weights": (
        "digits-mlp",
        ("recipe.preprocess.standardize=feature", "recipe.optimizer=adamw", "recipe.decay_exempt=biases_and_norms",
         "recipe.accumulate=3", "recipe.ema.enabled=true", "recipe.batch_size=13"),
    ),
    "recurrent, clipped each": ("digits-lstm", ('recipe.clip={"type":"norm_each","limit":0.1}',)),
    "two inputs": ("two-inputs", ('recipe.schedule={"type":"one_cycle","cycle_momentum":true}',)),
    "plateau and early stopping": (
        "spirals",
        ("recipe.epochs=6", "recipe.early_stopping.enabled=true", "recipe.early_stopping.patience=2",
         "recipe.early_stopping.min_delta=0.1", 'recipe.schedule={"type":"plateau","patience":1,"min_delta":0.5}'),
    ),
    "lbfgs": ("digits-mlp", ("recipe.optimizer=lbfgs", "recipe.batch_size=240", "recipe.optimizer.max_iter=3")),
    "muon, adaptive clipping, bf16": (
        "digits-mlp",
        ("recipe.optimizer=muon", 'recipe.clip={"type":"adaptive"}', "recipe.precision=bf16",
         "recipe.train_figures=evaluated"),
    ),
    "frozen layers": (
        "digits-cnn", ("recipe.frozen=features.conv1", "nodes.features.conv1.normalization=batch_norm"),
    ),
    "a single leftover sample": (
        "digits-cnn", ("nodes.features.conv1.normalization=batch_norm", "recipe.data.limit=301", "recipe.batch_size=20",
                       "recipe.data.split=last", "recipe.data.test=20"),
    ),
}  # fmt: skip


def changed(name: str, *settings: str) -> Project:
    project = load_example(name)
    for setting in (*SMALL, *settings):
        path, _, value = setting.partition("=")
        project = set_value(project, path, value)
    return project


def trained(folder: Path, project: Project) -> tuple[Restored, list[EpochEnded]]:
    events = list(run(project, runs=folder / "runs", places=Places(folder=folder), threads=1, device="cpu"))
    assert events[-1].outcome in ("completed", "early_stopped"), events[-1].problem
    return load_run(Path(events[-1].run)), [event for event in events if isinstance(event, EpochEnded)]


def script_of(restored: Restored) -> Script:
    analysis = analyze(restored.project)
    known = trained_of(restored.project, analysis, restored.model, restored.preprocess, restored)
    return training_script(restored.project, analysis, known)


def tidied(text: str, folder: Path) -> None:
    """The text passes the formatter and the checks that generated code passes everywhere."""
    (folder / "tidy").mkdir()
    (folder / "tidy" / "script.py").write_text(text, encoding="utf-8")
    for command in (["format", "--check", "--diff"], ["check", "--select", "E,F,W,I,UP"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", "--line-length", "100", "tidy"],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", RECIPES)
def test_the_script_ends_with_the_losses_and_the_weights_of_the_run(
    name: str, tmp_path: Path, one_thread: None
) -> None:
    example, settings = RECIPES[name]
    restored, epochs = trained(tmp_path, changed(example, *settings))
    script = script_of(restored)
    assert script.limits == ()
    scope: dict[str, Any] = {"__name__": "script"}
    exec(compile(script.text, "script.py", "exec"), scope)
    data = scope["load_data"]()
    torch.manual_seed(scope["SEED"])
    model = scope[restored.built.class_name]()
    found = list(scope["train"](model, data))
    assert [item["train_loss"] for item in found] == [epoch.train_loss for epoch in epochs]
    assert [item["val_loss"] for item in found] == [epoch.val_loss for epoch in epochs]
    weights = model.state_dict()
    assert all(torch.equal(item, weights[key]) for key, item in restored.model.state_dict().items())
    if "Muon" not in script.text:  # helpers are laid out as the program's own files are
        tidied(script.text, tmp_path)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Restored:
    return trained(tmp_path_factory.mktemp("digits"), changed("digits-mlp"))[0]


@pytest.mark.parametrize("format", ["script", "notebook"])
def test_samples_and_first_epoch_are_tried_where_the_data_is(digits: Restored, tmp_path: Path, format: str) -> None:
    path = tmp_path / "train.out"
    report = export_run(digits, path, format=format, places=Places(folder=tmp_path))
    assert report.same_samples is True
    assert report.same_losses is True
    assert report.limits == ()
    assert [file.name for file in tmp_path.iterdir()] == ["train.out"]


def test_a_notebook_is_what_jupyter_reads(digits: Restored) -> None:
    notebook = json.loads(notebook_text(script_of(digits)))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert set(notebook) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert notebook["metadata"]["kernelspec"].keys() >= {"name", "display_name"}
    names = [cell["id"] for cell in notebook["cells"]]
    assert len(set(names)) == len(names)
    for cell in notebook["cells"]:
        wanted = {"id", "cell_type", "metadata", "source"}
        wanted |= {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        assert set(cell) == wanted
        assert cell["source"]
        assert all(isinstance(line, str) for line in cell["source"])
        if cell["cell_type"] == "code":
            compile("".join(cell["source"]), cell["id"], "exec")
    assert "train(model, data)" in "".join(notebook["cells"][-1]["source"])


def test_a_project_that_was_not_trained_has_a_script_too(tmp_path: Path) -> None:
    report = export_project(changed("spirals"), tmp_path / "t.py", format="script", places=Places(folder=tmp_path))
    assert report.same_samples is True
    assert report.same_losses is None


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_a_table_is_read_as_the_training_read_them(task: str, tmp_path: Path) -> None:
    rows = [f"{place % 7},{'York' if place % 3 else 'Bath'},,{place % 5 + 10}" for place in range(90)]
    (tmp_path / "t.csv").write_text("a,town,b,y\n1,York,2.5,11\n" + "\n".join(rows))
    data = f'{{"type": "csv", "path": "t.csv", "target": "y", "task": "{task}", "header": "yes"}}'
    loss = '{"type": "mse"}' if task == "regression" else '{"type": "cross_entropy"}'
    project = set_value(set_value(load_example("housing"), "recipe.data", data), "recipe.loss", loss)
    project = set_value(set_value(project, "recipe.epochs", "1"), "recipe.metrics", "[]")
    project = set_value(project, "nodes.price.units", "1" if task == "regression" else "5")
    restored, _ = trained(tmp_path, project)
    report = export_run(restored, tmp_path / "t.py", format="script", places=Places(folder=tmp_path))
    assert report.same_samples is True
    assert report.same_losses is True


def test_arrays_are_read_as_the_training_read_them(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", x=draw.integers(0, 255, (60, 8, 8), dtype=np.uint8), y=draw.integers(0, 10, 60))
    project = changed("digits-mlp", 'recipe.data={"type": "npz", "path": "a.npz"}')
    report = export_run(
        trained(tmp_path, project)[0], tmp_path / "t.py", format="script", places=Places(folder=tmp_path)
    )
    assert report.same_losses is True


def test_what_cannot_be_repeated_is_said(digits: Restored, tmp_path: Path) -> None:
    project = changed("digits-mlp", "recipe.sampler=balanced")
    path = tmp_path / "t.py"
    report = export_project(project, path, format="script", places=Places(folder=tmp_path))
    assert "classes were drawn equally often" in report.limits[0]
    assert report.limits[0] in path.read_text()
    assert "to the last digit" not in path.read_text()


@pytest.mark.parametrize(
    "settings",
    [
        ('recipe.augment=[{"type":"rotation"}]',),
        ('recipe.augment=[{"type":"mixup"}]',),
        ('recipe.phases=[{"type":"phase"}]',),
        ('recipe.schedule={"type":"plateau","every":5}',),
    ],
)
def test_what_no_script_can_hold_is_refused(settings: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="cannot be written"):
        export_project(changed("digits-cnn", *settings), tmp_path / "t.py", format="script")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [("default_rng(0)", "default_rng(1)", "other train samples"), ("lr=0.05", "lr=0.06", "first epoch ends")],
)
def test_a_script_that_trains_otherwise_is_never_handed_out(
    digits: Restored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, words: str
) -> None:
    honest = export_written.training_script

    def harmed(*arguments: Any) -> Script:
        script = honest(*arguments)
        assert any(old in section for section in script.sections)
        sections = tuple(section.replace(old, new).replace("0.05 *", "0.06 *") for section in script.sections)
        return Script(script.docstring, sections, script.limits, script.batched)

    monkeypatch.setattr(export_written, "training_script", harmed)
    with pytest.raises(ProblemError, match=words):
        export_run(digits, tmp_path / "t.py", format="script", places=Places(folder=tmp_path))
    assert list(tmp_path.iterdir()) == []
