"""Predictions: images of any size, rows of tables, arrays; classes with probabilities and values in real units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.events import RunEnded
from engine.examples import load_example
from engine.places import Places
from engine.problem import Problem
from engine.project import Project
from engine.runtime.data import read_data
from engine.runtime.predict import Prediction, predict
from engine.runtime.restore import Restored, load_run
from engine.runtime.session import run
from engine.settings import set_value


def trained(folder: Path, project: Project, *settings: str) -> Restored:
    """A run of two epochs, as a model again."""
    for setting in ("recipe.epochs=2", "recipe.batch_size=32", *settings):
        path, _, value = setting.partition("=")
        project = set_value(project, path, value)
    *_, ended = run(project, runs=folder / "runs", places=Places(folder=folder), threads=1, device="cpu")
    assert isinstance(ended, RunEnded)
    assert ended.outcome == "completed", ended.problem
    return load_run(Path(ended.run))


def answers(restored: Restored, *files: Path) -> list[Prediction | Problem]:
    return list(predict(restored, files))


def best(item: Prediction | Problem) -> str:
    assert isinstance(item, Prediction), item
    return next(iter(item.answers.values())).scores[0][0]


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Restored:
    return trained(
        tmp_path_factory.mktemp("digits"), load_example("digits-mlp"), "recipe.epochs=10", "recipe.batch_size=8"
    )


@pytest.fixture(scope="module")
def samples():
    """Ten validation digits as they are in the data, 1×8×8 with values 0 to 16, and their classes."""
    found = read_data(load_example("digits-mlp").recipe, Places())
    chosen = found.samples("val", range(10))
    return np.stack(list(chosen.inputs["x"])), chosen.labels


def test_arrays_give_what_the_model_gives(digits, samples, tmp_path):
    raw, labels = samples
    np.savez(tmp_path / "a.npz", x=raw)
    found = answers(digits, tmp_path / "a.npz")
    with torch.no_grad():
        expected = digits.model(torch.from_numpy(raw).float() / 16).softmax(1)
    assert len(found) == 10
    for row, item in enumerate(found):
        assert isinstance(item, Prediction)
        assert item.row == row
        scores = dict(item.answers["scores"].scores)
        assert [scores[str(digit)] for digit in range(10)] == pytest.approx(expected[row].tolist(), abs=1e-6)
        assert sum(scores.values()) == pytest.approx(1.0)
    assert sum(best(item) == label for item, label in zip(found, labels, strict=True)) >= 8


def test_a_picture_of_another_size_and_colour_is_brought_to_the_datas_form(digits, samples, tmp_path):
    raw, labels = samples
    for size, mode in (((8, 8), "L"), ((200, 160), "RGB"), ((64, 64), "RGBA")):
        right = 0
        for row in range(10):
            file = tmp_path / f"{row}-{mode}.png"
            Image.fromarray((raw[row, 0] / 16 * 255).astype(np.uint8)).resize(size).convert(mode).save(file)
            right += best(answers(digits, file)[0]) == labels[row]
        assert right >= 8, (size, mode)


def test_rows_of_numbers_are_read_in_the_order_of_the_pixels(digits, samples, tmp_path):
    raw, _ = samples
    np.savez(tmp_path / "a.npz", x=raw)
    np.savetxt(tmp_path / "a.csv", raw.reshape(10, 64), delimiter=";", fmt="%g")
    by_array, by_row = answers(digits, tmp_path / "a.npz"), answers(digits, tmp_path / "a.csv")
    assert [item.answers for item in by_array] == [item.answers for item in by_row]


def test_json_holds_the_best_class_and_the_top(digits, samples, tmp_path):
    np.savez(tmp_path / "a.npz", x=samples[0][:1])
    (item,) = answers(digits, tmp_path / "a.npz")
    data = item.to_json(2)
    assert data["class"] == data["top"][0]["class"]
    assert data["probability"] >= data["top"][1]["probability"]
    assert len(data["top"]) == 2
    assert data["row"] == 0


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.png", b"no picture", "cannot be read"),
        ("a.npz", b"no archive", "cannot be read"),
        ("a.csv", b"1,2,3\n4,5,6\n", "3 numbers"),
        ("a.csv", b"", "empty"),
        ("a.csv", b"1,2\n1,2,3\n", "Line 2"),
        ("a.doc", b"", "not understood"),
        ("missing.png", None, "no such file"),
    ],
)
def test_a_file_that_does_not_fit_is_one_problem_with_a_way_out(name, content, words, digits, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    (problem,) = answers(digits, tmp_path / name)
    assert isinstance(problem, Problem)
    assert words in problem.happened
    assert problem.expected
    assert problem.fix


def test_words_among_numbers_are_told_with_their_line(digits, tmp_path):
    rows = [["1"] * 64, ["1"] * 63 + ["much"]]
    (tmp_path / "a.csv").write_text("\n".join(",".join(row) for row in rows))
    (problem,) = answers(digits, tmp_path / "a.csv")
    assert "Line 2" in problem.happened
    assert "much" in problem.happened


def test_pickled_arrays_are_never_loaded(digits, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([{"a": 1}], dtype=object))
    (problem,) = answers(digits, tmp_path / "a.npz")
    assert "run code" in problem.happened


def test_two_inputs_need_arrays_of_both_names(tmp_path):
    restored = trained(tmp_path, load_example("two-inputs"))
    raw = np.full((3, 1, 8, 8), 4.0, np.float32)
    np.savez(tmp_path / "both.npz", x=raw, sums=np.concatenate([raw.sum(2), raw.sum(3)], 2).reshape(3, 16))
    assert [type(item) for item in answers(restored, tmp_path / "both.npz")] == [Prediction] * 3
    np.savez(tmp_path / "one.npz", x=raw)
    assert "no array 'sums'" in answers(restored, tmp_path / "one.npz")[0].happened
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    assert "2 inputs" in answers(restored, tmp_path / "a.png")[0].happened


def table(folder: Path) -> Project:
    """A regression whose answer is 1000 + 50 * size + 300 when near, with gaps, as the housing example."""
    rows = []
    for place in range(200):
        size, near = place % 40, place % 3 == 0
        rows.append(f"{size if place % 17 else ''},{'near' if near else 'far'},{1000 + 50 * size + 300 * near}")
    (folder / "table.csv").write_text("size,where,price\n" + "\n".join(rows) + "\n")
    project = load_example("housing")
    data = '{"type": "csv", "path": "table.csv", "target": "price", "task": "regression"}'
    return set_value(project, "recipe.data", data)


def test_a_regression_answers_in_real_units_from_rows_in_any_order(tmp_path):
    restored = trained(tmp_path, table(tmp_path), "recipe.epochs=60", "recipe.optimizer.lr=0.01")
    (tmp_path / "new.csv").write_text("where,ignored,size\nnear,1,20\nfar,2,20\nfar,3,\n")
    found = answers(restored, tmp_path / "new.csv")
    values = [next(iter(item.answers.values())).values["price"] for item in found]
    assert values[0] == pytest.approx(2300, abs=150)
    assert values[1] == pytest.approx(2000, abs=150)
    assert found[0].to_json()["value"] == values[0]
    (tmp_path / "short.csv").write_text("where,other\nnear,3\n")
    (problem,) = answers(restored, tmp_path / "short.csv")
    assert "size" in str(problem)


def test_a_table_of_one_row_is_understood(tmp_path):
    restored = trained(tmp_path, table(tmp_path))
    (tmp_path / "one.csv").write_text("size,where\n12,near\n")
    assert len(answers(restored, tmp_path / "one.csv")) == 1


def test_images_of_a_folder_are_prepared_as_in_training(tmp_path):
    draw = np.random.default_rng(0)
    for name, level in (("dark", 60), ("light", 190)):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(12):
            side = (20 + number, 24)
            pixels = np.clip(draw.normal(level, 20, (*side, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{number}.png")
    project = set_value(load_example("digits-cnn"), "recipe.data", '{"type": "image_folder", "path": "pictures"}')
    for path, value in (
        ("recipe.preprocess.resize", "8"),
        ("recipe.preprocess.color", "grey"),
        ("nodes.head.digits.units", "2"),
    ):
        project = set_value(project, path, value)
    restored = trained(tmp_path, project, "recipe.epochs=20", "recipe.batch_size=4")
    Image.new("RGB", (333, 71), (20, 20, 20)).save(tmp_path / "night.jpg")
    Image.new("L", (9, 400), 240).save(tmp_path / "snow.bmp")
    assert [best(item) for item in answers(restored, tmp_path / "night.jpg", tmp_path / "snow.bmp")] == [
        "dark",
        "light",
    ]
