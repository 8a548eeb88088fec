"""Exports: what is written, that it works without Layerwright, and that a wrong one is never handed out."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch

from engine.datasets.encoding import encode_rows
from engine.examples import load_example
from engine.places import Places
from engine.problem import ProblemError
from engine.project import Project
from engine.runtime import export as export_module
from engine.runtime import export_written
from engine.runtime.export import export_project, export_run
from engine.runtime.predict import predict
from engine.runtime.restore import Restored, load_run
from engine.runtime.session import run
from engine.settings import set_value
from engine.standalone_table import table_columns

FORMATS = ("python", "state_dict", "safetensors")


def trained(folder: Path, project: Project, *settings: str) -> Restored:
    limit = () if project.recipe.get("data")["type"] in ("csv", "spirals") else ("recipe.data.limit=300",)
    for setting in ("recipe.epochs=1", "recipe.batch_size=64", *limit, *settings):
        path, _, value = setting.partition("=")
        project = set_value(project, path, value)
    *_, ended = run(project, runs=folder / "runs", places=Places(folder=folder), threads=1, device="cpu")
    assert ended.outcome == "completed", ended.problem
    return load_run(Path(ended.run))


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Restored:
    folder = tmp_path_factory.mktemp("digits")
    return trained(folder, load_example("digits-mlp"), "recipe.preprocess.standardize=feature")


def alone(folder: Path, program: str) -> str:
    """Runs a program that sees torch but not Layerwright."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, cwd=folder, timeout=100, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_read_back_is_the_model_to_the_last_bit(format, digits, tmp_path):
    report = export_run(digits, tmp_path / "model.out", format=format, places=Places(folder=tmp_path))
    assert report.largest_difference == 0.0
    assert report.largest_relative_difference == 0.0
    assert report.classes_agree is True
    assert report.real_samples
    assert report.samples == 16
    assert sorted(item.name for item in tmp_path.iterdir()) == ["model.out", "model.preprocess.safetensors"]
    assert report.bytes == sum(item.stat().st_size for item in tmp_path.iterdir())
    assert json.loads(json.dumps(report.to_json()))["format"] == format


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("digits-cnn", ()),
        ("digits-lstm", ()),
        ("two-inputs", ()),
        ("spirals", ("recipe.data.samples=200",)),
        ("digits-mlp", ("recipe.preprocess.standardize=channel",)),
        ("digits-cnn", ("recipe.preprocess.resize=12",)),
    ],
)
@pytest.mark.parametrize("format", ["python", "safetensors"])
def test_every_kind_of_network_leaves_unchanged(name, settings, format, tmp_path):
    restored = trained(tmp_path, load_example(name), *settings)
    report = export_run(restored, tmp_path / "m.py", format=format, places=Places(folder=tmp_path))
    assert report.largest_difference == 0.0
    assert report.classes_agree is True
    assert len(report.files) == 1


def test_a_regression_leaves_with_its_units_and_statistics(tmp_path):
    rows = [f"{place % 9},{place % 5},{1e5 + 3e4 * (place % 9)}" for place in range(120)]
    (tmp_path / "t.csv").write_text("a,b,y\n" + "\n".join(rows))
    data = '{"type": "csv", "path": "t.csv", "target": "y", "task": "regression"}'
    restored = trained(tmp_path, set_value(load_example("housing"), "recipe.data", data))
    report = export_run(restored, tmp_path / "m.py", format="python", places=Places(folder=tmp_path))
    assert report.largest_difference == 0.0
    assert report.classes_agree is None


TABLE = """a,town,b,y
1,York,,3
2,Bath,0.5,4
,?,-1e3,5
4,York,7,1
5,"O'Hara, x",2,2
6,,3,9
"""


def table(folder: Path) -> Restored:
    data = '{"type": "csv", "path": "t.csv", "target": "y", "task": "regression", "header": "yes"}'
    rows = TABLE.splitlines()[1:] * 20
    (folder / "t.csv").write_text("\n".join([TABLE.splitlines()[0], *rows]))
    return trained(folder, set_value(load_example("housing"), "recipe.data", data))


def test_the_python_file_of_a_table_takes_its_rows_of_text_with_torch_alone(tmp_path):
    restored = table(tmp_path)
    report = export_run(restored, tmp_path / "m.py", format="python", places=Places(folder=tmp_path))
    assert report.largest_difference == 0.0
    assert report.files == (str(tmp_path / "m.py"),)
    export_run(restored, tmp_path / "w.pt", format="state_dict")
    rows = [{"a": "3", "town": "Bath", "b": "nan"}, {"a": "", "town": "Atlantis", "b": " 2 "}]
    program = (
        "import importlib.util, torch, json\n"
        "spec = importlib.util.spec_from_file_location('m', 'm.py'); m = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(m); net = next(c for n, c in vars(m).items() if n == 'Housing')()\n"
        "net.load_state_dict(torch.load('w.pt', weights_only=True))\n"
        f"x = m.encode({rows!r})\n"
        "print(json.dumps([x.tolist(), m.predict(net, x).tolist()]))"
    )
    encoded, answers = json.loads(alone(tmp_path, program))
    columns = table_columns(restored.project.data)
    assert encoded == encode_rows(columns, rows).tolist()
    assert sum(encoded[1][1:-1]) == 0.0  # a town that training never met
    (tmp_path / "rows.csv").write_text("a,town,b\n" + "\n".join(",".join(row.values()) for row in rows) + "\n")
    said = predict(restored, [tmp_path / "rows.csv"])
    known = [next(iter(one.answers["value"].values.values())) for one in said]
    assert [row[0] for row in answers] == pytest.approx(known, rel=1e-6)


def test_a_wide_table_leaves_in_one_file_too(tmp_path):
    data = '{"type": "csv", "path": "t.csv", "target": "y", "task": "regression", "header": "yes"}'
    names = [f"c{number}" for number in range(150)]
    draw = np.random.default_rng(0)
    rows = [",".join(f"{value:.3f}" for value in draw.normal(size=151)) for _ in range(40)]
    (tmp_path / "t.csv").write_text("\n".join([",".join([*names, "y"]), *rows]))
    restored = trained(tmp_path, set_value(load_example("housing"), "recipe.data", data))
    report = export_run(restored, tmp_path / "m.py", format="python", places=Places(folder=tmp_path))
    assert report.files == (str(tmp_path / "m.py"),)
    assert report.largest_difference == 0.0
    assert "def predict(model: nn.Module, districts: Tensor) -> Tensor:" in (tmp_path / "m.py").read_text()


def test_an_encoding_that_went_wrong_is_caught(tmp_path, monkeypatch):
    restored = table(tmp_path)
    honest = export_written.write_files

    def harmed(*arguments, **more):
        made = honest(*arguments, **more)
        text = made.main.read_text()
        assert '"a": 4.0' in text
        made.main.write_text(text.replace('"a": 4.0', '"a": 4.5'))
        return made

    monkeypatch.setattr(export_written, "write_files", harmed)
    with pytest.raises(ProblemError, match="Results differ"):
        export_run(restored, tmp_path / "m.py", format="python", places=Places(folder=tmp_path))


def test_the_python_file_predicts_with_torch_alone(digits, tmp_path):
    export_run(digits, tmp_path / "model.py", format="python")
    export_run(digits, tmp_path / "model.pt", format="state_dict")
    raw = np.arange(128, dtype=np.float32).reshape(2, 1, 8, 8) % 17
    np.save(tmp_path / "raw.npy", raw)
    said = alone(
        tmp_path,
        "import runpy, numpy, torch\n"
        "from safetensors.torch import load_file\n"
        "names = runpy.run_path('model.py')\n"
        "model = names['DigitsMlp']()\n"
        "model.load_state_dict(torch.load('model.pt', weights_only=True))\n"
        "raw = torch.from_numpy(numpy.load('raw.npy'))\n"
        "found = names['predict'](model, raw, **load_file('model.preprocess.safetensors'))\n"
        "assert len(names['CLASSES']) == found.shape[1]\n"
        "print(found.tolist())\n",
    )
    with torch.no_grad():
        expected = digits.model(digits.preprocess["x"](torch.from_numpy(raw))).softmax(1)
    assert json.loads(said) == [pytest.approx(row, abs=1e-6) for row in expected.tolist()]


def test_safetensors_say_what_they_belong_to(digits, tmp_path):
    path = tmp_path / "m.safetensors"
    export_run(digits, path, format="safetensors")
    with safetensors.safe_open(path, framework="pt") as stream:
        said = stream.metadata()
    assert said["class"] == "DigitsMlp"
    assert said["architecture"] == hashlib.sha256(digits.built.source.encode()).hexdigest()
    assert json.loads(said["classes"])["y"] == [str(digit) for digit in range(10)]
    assert json.loads(said["preprocess"])["x"]["divide"] == 16.0
    assert set(safetensors.torch.load_file(path)) == set(digits.model.state_dict())


def test_weights_can_be_read_by_others(digits, tmp_path):
    export_run(digits, tmp_path / "m.safetensors", format="safetensors")
    assert (tmp_path / "m.safetensors").stat().st_mode & 0o044


def test_without_its_data_an_export_is_tried_on_drawn_numbers(digits, tmp_path):
    report = export_run(digits, tmp_path / "m.py", format="python")
    assert not report.real_samples
    assert report.largest_difference == 0.0


@pytest.mark.parametrize("name", ["digits-mlp", "fashion-cnn", "cifar-resnet", "housing", "two-inputs", "digits-lstm"])
def test_code_of_a_project_is_read_back_too(name, tmp_path):
    report = export_project(load_example(name), tmp_path / "m.py")
    assert report.largest_difference == 0.0
    assert [item.name for item in tmp_path.iterdir()] == ["m.py"]


def test_a_project_has_no_weights_to_export(tmp_path):
    with pytest.raises(ProblemError, match="no weights"):
        export_project(load_example("digits-mlp"), tmp_path / "m.pt", format="state_dict")
    assert list(tmp_path.iterdir()) == []


def changed(path: Path) -> None:
    """Changes one weight of an exported file."""
    if path.suffix == ".pt":
        weights = torch.load(path, weights_only=True)
        next(iter(weights.values()))[0, 0] += 1.0
        torch.save(weights, path)
    else:
        with safetensors.safe_open(path, framework="pt") as stream:
            metadata = stream.metadata()
        weights = safetensors.torch.load_file(path)
        next(iter(weights.values()))[0] += 1.0
        safetensors.torch.save_file(weights, path, metadata=metadata)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def exchanged(path: Path) -> None:
    """Other numbers, other names: what fits no model."""
    safetensors.torch.save_file({"strange": torch.zeros(3)}, path)


@pytest.mark.parametrize(
    ("format", "suffix", "harm"),
    [("state_dict", ".pt", changed), ("safetensors", ".safetensors", changed), ("state_dict", ".pt", cut),
     ("safetensors", ".safetensors", cut), ("safetensors", ".safetensors", exchanged)],
)  # fmt: skip
def test_a_file_that_went_wrong_is_caught_and_never_handed_out(format, suffix, harm, digits, tmp_path, monkeypatch):
    honest = export_written.write_files

    def harmed(*arguments, **more):
        made = honest(*arguments, **more)
        harm(made.main)
        return made

    monkeypatch.setattr(export_written, "write_files", harmed)
    path = tmp_path / f"m{suffix}"
    path.write_text("what was there before")
    with pytest.raises(ProblemError) as caught:
        export_run(digits, path, format=format)
    assert caught.value.problem.code == "export"
    assert path.read_text() == "what was there before"
    assert list(tmp_path.iterdir()) == [path]


def test_code_that_needs_layerwright_is_caught(digits, tmp_path, monkeypatch):
    honest = export_written.write_files

    def harmed(*arguments, **more):
        made = honest(*arguments, **more)
        made.main.write_text("import engine\n" + made.main.read_text())
        return made

    monkeypatch.setattr(export_written, "write_files", harmed)
    with pytest.raises(ProblemError, match="needs engine"):
        export_run(digits, tmp_path / "m.py", format="python")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_leaves_nothing_behind(digits, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_module.os, "replace", full)
    with pytest.raises(ProblemError, match="No space left"):
        export_run(digits, tmp_path / "m.py", format="python")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProblemError, match="could not be written"):
        export_run(digits, tmp_path / "none" / "m.py", format="python")
