"""Exports as programs and bundles: what they hold, their options, and that a wrong one is never handed out."""

from __future__ import annotations

import json
import runpy
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.bundle import CARD, EXPECTED, PREDICT, WEIGHTS
from engine.examples import load_example
from engine.formats import ExportOptions
from engine.places import Places
from engine.problem import ProblemError
from engine.runtime import export_written, reading_process
from engine.runtime.export import ExportReport, export_run
from engine.runtime.reading_process import Reader
from engine.runtime.restore import Restored, load_run
from engine.runtime.session import run
from engine.settings import set_value


def trained(folder: Path, name: str, *settings: str) -> Restored:
    project = load_example(name)
    for setting in ("recipe.epochs=1", "recipe.data.limit=200", *settings):
        path, _, value = setting.partition("=")
        project = set_value(project, path, value)
    *_, ended = run(project, runs=folder / "runs", places=Places(folder=folder), threads=1, device="cpu")
    assert ended.outcome == "completed", ended.problem
    return load_run(Path(ended.run))


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Restored:
    """A convolutional network with batch norm, whose preprocessing has statistics of every pixel."""
    settings = ("nodes.features.conv1.normalization=batch_norm", "recipe.preprocess.standardize=feature")
    return trained(tmp_path_factory.mktemp("digits"), "digits-cnn", *settings)


def exported(restored: Restored, path: Path, format: str, **options: bool) -> ExportReport:
    return export_run(
        restored, path, format=format, places=Places(folder=path.parent), options=ExportOptions(**options)
    )


@pytest.fixture(scope="module")
def raw(digits: Restored) -> torch.Tensor:
    return torch.randint(0, 17, (5, 1, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def expected(digits: Restored, raw: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return digits.model(digits.preprocess["x"](raw))


@pytest.mark.parametrize("options", [{}, {"fold": True, "preprocess": True}, {"half": True}], ids=str)
def test_a_program_of_torch_export_takes_any_number_of_samples(
    digits: Restored, raw: torch.Tensor, tmp_path: Path, options: dict[str, bool]
) -> None:
    report = exported(digits, tmp_path / "m.pt2", "torch_export", **options)
    assert report.files == (str(tmp_path / "m.pt2"),)
    assert report.real_samples
    assert report.classes_agree
    assert report.latency_ms > 0
    assert report.folded == (("features.conv1_norm",) if "fold" in options else ())
    assert report.largest_relative_difference <= report.allowed == (0.02 if "half" in options else 1e-4)
    program = torch.export.load(tmp_path / "m.pt2")
    assert not any(tensor.any() for tensor in program.example_inputs[0])  # nothing of a sample is in the file
    given = raw if "preprocess" in options else digits.preprocess["x"](raw)
    with torch.no_grad():
        for count in (1, 5):
            found = program.module()(given[:count])
            assert torch.allclose(found, expected(digits, raw)[:count], rtol=0.02, atol=0.02)


@pytest.mark.parametrize("options", [{}, {"int8": True, "fold": True, "preprocess": True}], ids=str)
def test_an_onnx_file_is_one_file_with_names_and_any_number_of_samples(
    digits: Restored, raw: torch.Tensor, tmp_path: Path, options: dict[str, bool]
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
    report = exported(digits, tmp_path / "m.onnx", "onnx", **options)
    assert [file.name for file in tmp_path.iterdir()] == ["m.onnx"]
    assert report.agreement is not None
    assert report.agreement >= (0.7 if options else 1.0)
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    (one,), (two,) = session.get_inputs(), session.get_outputs()
    assert (one.name, two.name) == ("images", "scores")
    about = session.get_modelmeta().custom_metadata_map
    assert json.loads(about["classes"])["y"][3] == "3"
    assert about["preprocessing_inside"] == str("preprocess" in options).lower()
    given = raw if options else digits.preprocess["x"](raw)
    for count in (1, 5):
        (found,) = session.run(None, {one.name: given[:count].numpy()})
        wanted = expected(digits, raw)[:count].numpy()
        assert np.abs(found - wanted).max() <= (0.25 if options else 1e-4) * np.abs(wanted).max()


@pytest.mark.parametrize("format", ["state_dict", "safetensors"])
def test_weights_of_sixteen_bits_take_half_the_room(digits: Restored, tmp_path: Path, format: str) -> None:
    whole = exported(digits, tmp_path / "whole.out", format)
    half = exported(digits, tmp_path / "half.out", format, half=True)
    assert half.bytes < 0.6 * whole.bytes
    assert 0 < half.largest_relative_difference < half.allowed
    assert whole.largest_difference == 0.0


def test_a_bundle_answers_in_a_folder_of_its_own_and_tells_where_it_came_from(
    digits: Restored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The one test of a process that did nothing before.
    fresh: list[Reader] = []

    @contextmanager
    def opened() -> Iterator[Reader]:
        fresh.append(Reader())
        yield fresh[0]
        fresh[0].close()

    monkeypatch.setattr(reading_process, "opened", opened)
    report = exported(digits, tmp_path / "digits.zip", "bundle")
    assert not fresh[0].is_alive
    assert report.largest_difference == 0.0
    assert [file.name for file in tmp_path.iterdir()] == ["digits.zip"]
    with zipfile.ZipFile(tmp_path / "digits.zip") as packed:
        packed.extractall(tmp_path)
    folder = tmp_path / "digits"
    card = (folder / CARD).read_text("utf-8")
    for words in (
        digits.info.fingerprint,
        "val_accuracy",
        f"seed {digits.info.seed}",
        "torch 2",
        "largest difference 0",
    ):
        assert words in card, words
    torch.save(torch.zeros(2, 1, 8, 8), tmp_path / "two.pt")
    monkeypatch.syspath_prepend(folder)
    scope = runpy.run_path(str(folder / PREDICT))
    sys.modules.pop("model")
    assert scope["main"]([str(tmp_path / "two.pt")]) == 0
    assert capsys.readouterr().out.count("scores: ") == 2
    assert torch.load(folder / EXPECTED, weights_only=True)["scores"].shape == (1, 10)
    assert set(torch.load(folder / WEIGHTS, weights_only=True)) == set(digits.model.state_dict())


@pytest.mark.parametrize("name", ["two-inputs", "digits-lstm"])
def test_a_bundle_of_halves_is_a_folder_that_replaces_only_a_bundle(tmp_path: Path, name: str) -> None:
    restored = trained(tmp_path, name)
    path = tmp_path / "made"
    assert exported(restored, path, "bundle", half=True).classes_agree
    (path / "mine.txt").write_text("left by somebody")
    exported(restored, path, "bundle")
    assert not (path / "mine.txt").exists()
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("of somebody")
    with pytest.raises(ProblemError, match="holds other things"):
        exported(restored, other, "bundle")
    assert [file.name for file in other.iterdir()] == ["mine.txt"]


def test_a_bundle_of_a_table_reads_rows_of_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,town,y\n" + "1,York,3\n2,Bath,4\n,?,5\n6,,9\n" * 20)
    data = '{"type": "csv", "path": "t.csv", "target": "y", "task": "regression", "header": "yes"}'
    project = set_value(set_value(load_example("housing"), "recipe.data", data), "recipe.epochs", "1")
    *_, ended = run(project, runs=tmp_path / "runs", places=Places(folder=tmp_path), threads=1, device="cpu")
    assert exported(load_run(Path(ended.run)), tmp_path / "made", "bundle").largest_difference == 0.0
    text = (tmp_path / "made" / PREDICT).read_text("utf-8")
    assert "csv.DictReader" in text
    compile(text, PREDICT, "exec")


@pytest.mark.parametrize(
    ("format", "options"),
    [("python", {"half": True}), ("state_dict", {"preprocess": True}), ("torch_export", {"int8": True}),
     ("onnx", {"half": True, "int8": True}), ("bundle", {"fold": True})],
)  # fmt: skip
def test_an_option_that_a_format_does_not_know_is_refused(
    digits: Restored, tmp_path: Path, format: str, options: dict[str, bool]
) -> None:
    with pytest.raises(ProblemError) as caught:
        exported(digits, tmp_path / "m", format, **options)
    assert caught.value.problem.code == "arguments"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", ["torch_export", "bundle"])
def test_a_program_or_bundle_that_went_wrong_leaves_nothing(
    digits: Restored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    honest: Any = getattr(export_written, f"write_{'program' if format == 'torch_export' else 'bundle'}")

    def harmed(*arguments: Any, **more: Any) -> None:
        if format == "bundle":
            honest(*arguments, **more)
            file = arguments[0] / WEIGHTS
            weights = torch.load(file, weights_only=True)
            next(iter(weights.values())).add_(1.0)
            torch.save(weights, file)
        else:
            honest(arguments[0], torch.nn.Sequential(arguments[1], torch.nn.ReLU()).eval(), *arguments[2:], **more)

    monkeypatch.setattr(export_written, honest.__name__, harmed)
    with pytest.raises(ProblemError) as caught:
        exported(digits, tmp_path / "m.out", format)
    assert caught.value.problem.code == "export"
    assert list(tmp_path.iterdir()) == []
