"""The exported file alone: what it holds, and that it prepares and answers as training does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.datafacts import DataFacts, Target
from engine.datasets.encoding import Column, decode_rows, encode_rows
from engine.datasets.raw import StreamInfo
from engine.runtime.analyze import analyze
from engine.runtime.data.preprocess import make_preprocess
from engine.standalone import standalone
from engine.tensor import TensorInfo
from tests.engine.drawn import box, draw, facts, project


def scope_of(text: str) -> dict[str, Any]:
    scope: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, "exported.py", "exec"), scope)
    return scope


def classifier(shape: tuple[int, ...], raw: tuple[int, ...], top: float, **preprocess: Any) -> tuple[Any, DataFacts]:
    streams = {"x": {"kind": "image", "shape": list(raw), "top": top, "names": []}}
    data = DataFacts({"x": TensorInfo(shape)}, {"y": Target("class", ("cat", "dog's"))}, extra={"streams": streams})
    graph = draw(
        box("image", "input"), box("flat", "flatten", "image"), box("fc", "linear", "flat", units=2),
        box("animal", "output", "fc"),
    )  # fmt: skip
    return project(graph, data, name="pets & co", preprocess={"type": "preprocess", **preprocess}), data


@pytest.mark.parametrize(
    ("raw", "shape", "settings"),
    [
        ((3, 8, 8), (3, 8, 8), {}),
        ((3, 8, 8), (1, 8, 8), {"color": "grey"}),
        ((1, 8, 8), (3, 8, 8), {"color": "rgb", "resize": 8}),
        ((3, 9, 7), (3, 4, 6), {"resize": (4, 6), "standardize": "channel"}),
        ((3, 12, 12), (1, 5, 5), {"resize": 5, "color": "grey", "standardize": "channel"}),
        ((3, 8, 8), (3, 8, 8), {"scale": "none"}),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_preprocess_of_the_file_equals_that_of_training(
    raw: tuple[int, ...], shape: tuple[int, ...], settings: dict[str, Any], whole: bool
) -> None:
    drawn, _ = classifier(shape, raw, 255.0, **settings)
    module = make_preprocess(StreamInfo("image", raw, 255.0), drawn.recipe.made("preprocess"))
    if settings.get("standardize"):
        module.keep_statistics(torch.rand(shape[0], 1, 1), torch.rand(shape[0], 1, 1) + 0.1)
    scope = scope_of(standalone(drawn, analyze(drawn), statistics={"x": module.describe()}))
    batch = torch.randint(0, 256, (5, *raw), dtype=torch.uint8)
    batch = batch if whole else batch.float() + 0.25
    assert torch.equal(scope["preprocess"](batch), module(batch))


def test_predict_gives_probabilities_and_forward_gives_logits() -> None:
    drawn, _ = classifier((3, 8, 8), (3, 8, 8), 255.0)
    text = standalone(drawn, analyze(drawn))
    scope = scope_of(text)
    assert scope["CLASSES"] == ("cat", "dog's")
    model = scope["PetsCo"]()
    batch = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8)
    expected = model(batch.float() / 255).softmax(dim=1)
    assert torch.equal(scope["predict"](model, batch), expected.detach())
    assert text.rindex("\nclass PetsCo(") > text.rindex("\ndef predict(")


def test_statistics_that_are_not_at_hand_become_arguments() -> None:
    drawn, _ = classifier((3, 8, 8), (3, 8, 8), 255.0, standardize="feature")
    scope = scope_of(standalone(drawn, analyze(drawn)))
    batch = torch.rand(2, 3, 8, 8)
    found = scope["preprocess"](batch, torch.full((3, 8, 8), 0.5), torch.full((3, 8, 8), 2.0))
    assert torch.allclose(found, (batch / 255 - 0.5) / 2)


def test_values_come_back_in_real_units() -> None:
    target = Target("value", size=2, mean=(10.0, -3.0), deviation=(2.0, 0.5))
    data = DataFacts({"x": TensorInfo((4,))}, {"y": target})
    graph = draw(box("row", "input"), box("fc", "linear", "row", units=2), box("values", "output", "fc"))
    drawn = project(graph, data, loss={"type": "mse"}, metrics=({"type": "mae"},))
    scope = scope_of(standalone(drawn, analyze(drawn)))
    model, batch = scope["Net"](), torch.randn(3, 4)
    expected = model(batch) * torch.tensor([2.0, 0.5]) + torch.tensor([10.0, -3.0])
    assert torch.allclose(scope["predict"](model, batch), expected)
    assert "CLASSES" not in scope


def test_several_outputs_answer_each_in_its_way() -> None:
    data = DataFacts(
        {"x": TensorInfo((4,))},
        {"kind": Target("class", ("a", "b", "c")), "size": Target("value", mean=(5.0,), deviation=(2.0,))},
    )
    graph = draw(
        box("row", "input"), box("one", "linear", "row", units=3), box("two", "linear", "row", units=1),
        box("kinds", "output", "one", target="kind"),
        box("sizes", "output", "two", target="size", loss={"type": "mse"}),
    )  # fmt: skip
    drawn = project(graph, data)
    scope = scope_of(standalone(drawn, analyze(drawn)))
    assert scope["CLASSES"] == {"kinds": ("a", "b", "c")}
    model, batch = scope["Net"](), torch.randn(3, 4)
    kinds, sizes = scope["predict"](model, batch)
    one, two = model(batch)
    assert torch.equal(kinds, one.softmax(dim=1).detach())
    assert torch.allclose(sizes, two * 2 + 5)


def test_the_file_runs_alone_and_does_nothing(tmp_path: Path) -> None:
    graph = draw(
        box("v", "input"), box("encode", "transformer_encoder_layer", "v", heads=2), box("out", "output", "encode")
    )
    drawn = project(graph, facts(x=(5, 8)))
    text = standalone(drawn, analyze(drawn))
    assert "set_fastpath_enabled(False)" in text
    (tmp_path / "net.py").write_text(text, encoding="utf-8")
    run = subprocess.run([sys.executable, "net.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert [item.name for item in tmp_path.iterdir()] == ["net.py"]


def row_of(columns: list[Column]) -> tuple[Any, DataFacts]:
    width = sum(len(column.feature_names) for column in columns)
    extra = {
        "table": {"columns": [column.to_json() for column in columns], "target": "y"},
        "streams": {"x": {"kind": "vector", "shape": [width], "top": 0.0, "names": []}},
    }
    data = DataFacts({"x": TensorInfo((width,))}, {"y": Target("value", mean=(1.0,), deviation=(2.0,))}, extra=extra)
    return draw(box("row", "input"), box("fc", "linear", "row", units=1), box("price", "output", "fc")), data


def test_rows_of_a_table_are_encoded_as_training_encoded_them() -> None:
    columns = [Column("size", fill=2.5), Column("town", categories=("(missing)", "Bath")), Column("b", fill=-1.0)]
    drawn = project(*row_of(columns), loss={"type": "mse"}, metrics=({"type": "mae"},))
    scope = scope_of(standalone(drawn, analyze(drawn)))
    rows = [
        {"size": " 7 ", "town": "Bath", "b": "1e-3", "ignored": "x"}, {"size": "NA", "town": "?", "b": ""},
        {"size": "-0.1", "town": "Ba", "b": "3"},
    ]  # fmt: skip
    assert scope["encode"](rows).tolist() == encode_rows(columns, rows).tolist()
    assert scope["encode"](rows).dtype == torch.float32
    decoded = decode_rows(columns, encode_rows(columns, rows))
    assert encode_rows(columns, decoded).tolist() == encode_rows(columns, rows).tolist()


def test_the_exported_file_passes_the_formatter(tmp_path: Path) -> None:
    for place, settings in enumerate(({}, {"color": "grey", "resize": 5, "standardize": "channel"})):
        drawn, _ = classifier((1, 5, 5) if settings else (3, 8, 8), (3, 8, 8), 255.0, **settings)
        (tmp_path / f"m{place}.py").write_text(standalone(drawn, analyze(drawn)), encoding="utf-8")
    number = Column("size", fill=2.5)
    words = Column("a rather long name of a column", categories=("(missing)", "it's", 'a "quoted" word', "x" * 60))
    for place, columns in enumerate(([number], [words], [number, words], [Column("one", categories=("word",))])):
        drawn = project(*row_of(columns), loss={"type": "mse"}, metrics=({"type": "mae"},))
        (tmp_path / f"t{place}.py").write_text(standalone(drawn, analyze(drawn)), encoding="utf-8")
    for command in (["format", "--check", "--diff"], ["check", "--select", "E,F,W,I,UP"]):
        run = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", "--line-length", "100", str(tmp_path)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stdout + run.stderr
