"""Arrays in .npz files: kinds, axes, answers, and files that must not be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.runtime.data import Data, open_data
from tests.engine.data_tools import places, recipe, refusal


def arrays(root: Path, settings: dict[str, Any] | None = None, **found: Any) -> Data:
    np.savez(root / "set.npz", **found)
    chosen = recipe({"type": "npz", "path": "set.npz", "validation": 0.0, **(settings or {})})
    return open_data(chosen, places(root))


def numbers(*shape: int, kind: Any = np.float32) -> Any:
    return np.arange(np.prod(shape)).reshape(shape).astype(kind)


@pytest.mark.parametrize(
    ("x", "settings", "shape", "dtype"),
    [
        (numbers(6, 5), {}, (5,), "float32"),
        (numbers(6, 5, kind=np.float64), {}, (5,), "float32"),
        (numbers(6, 5, 3), {}, (5, 3), "float32"),
        (numbers(6, 7, kind=np.int64), {}, (7,), "int64"),
        (numbers(6, 4, 5, kind=np.uint8), {}, (1, 4, 5), "float32"),
        (numbers(6, 4, 5), {"kind": "image"}, (1, 4, 5), "float32"),
        (numbers(6, 3, 4, 5, kind=np.uint8), {}, (3, 4, 5), "float32"),
        (numbers(6, 4, 5, 3, kind=np.uint8), {}, (3, 4, 5), "float32"),
        (numbers(6, 4, 5, 7), {"channels": "last"}, (7, 4, 5), "float32"),
        (numbers(6, 7, kind=np.int32), {"kind": "vector"}, (7,), "float32"),
    ],
)
def test_a_sample_is_what_its_axes_say(
    tmp_path: Path, x: Any, settings: dict[str, Any], shape: tuple[int, ...], dtype: str
) -> None:
    data = arrays(tmp_path, settings, x=x, y=np.arange(6) % 2)
    batch = next(data.eval_batches("train"))
    assert data.facts.inputs["x"].shape == shape == tuple(batch.inputs[0].shape[1:])
    assert str(batch.inputs[0].dtype) == f"torch.{dtype}"
    assert data.facts.inputs["x"].dtype == dtype


def test_bytes_are_scaled_and_other_numbers_are_not(tmp_path: Path) -> None:
    pixels = np.full((2, 3, 4, 4), 255, np.uint8)
    assert float(next(arrays(tmp_path, x=pixels, y=[0, 1]).eval_batches("train")).inputs[0].max()) == 1.0
    floats = pixels.astype(np.float32)
    assert float(next(arrays(tmp_path, x=floats, y=[0, 1]).eval_batches("train")).inputs[0].max()) == 255.0
    assert (
        float(next(arrays(tmp_path, {"top": 510.0}, x=floats, y=[0, 1]).eval_batches("train")).inputs[0].max()) == 0.5
    )


def test_colours_last_are_moved_to_the_front(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), np.uint8)
    data = arrays(tmp_path, x=x, y=[0, 1, 0])
    assert np.array_equal(np.stack(data.samples("train", range(3)).inputs["x"]), x.transpose(0, 3, 1, 2))


def test_own_parts_are_kept_and_classes_have_names(tmp_path: Path) -> None:
    data = arrays(
        tmp_path, x_train=numbers(4, 2), y_train=[0, 1, 2, 0], x_val=numbers(2, 2), y_val=[1, 1],
        x_test=numbers(1, 2), y_test=[2], classes=np.array(["low", "mid", "high"]),
    )  # fmt: skip
    assert data.facts.counts == {"train": 4, "val": 2, "test": 1}
    assert data.class_counts("train") == {"low": 2, "mid": 1, "high": 1}


def test_real_answers_are_values(tmp_path: Path) -> None:
    data = arrays(tmp_path, x=numbers(4, 2), y=np.array([[1.0, 10.0], [3.0, 10.0], [1.0, 10.0], [3.0, 10.0]]))
    target = data.facts.targets["y"]
    assert (target.kind, target.size, target.mean, target.deviation) == ("value", 2, (2.0, 10.0), (1.0, 1.0))
    assert next(data.eval_batches("train")).targets[0].tolist() == [[-1, 0], [1, 0], [-1, 0], [1, 0]]


def test_samples_without_answers_are_allowed(tmp_path: Path) -> None:
    data = arrays(tmp_path, x=numbers(4, 2))
    assert data.facts.targets["y"].kind == "none"
    assert next(data.train_batches(1, 2, 0)).targets == ()
    assert data.class_counts("train") == {}


class Boom:
    """An object whose loading would run code."""

    def __reduce__(self) -> Any:
        return (pytest.fail, ("code from a data file ran",))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"a": numbers(3, 2)}, "holds a"),
        ({"x": numbers(3, 2), "y": [0, 1]}, "do not fit together"),
        ({"x": numbers(3, 2), "y": [0, -1, 1]}, "not one class number"),
        ({"x": np.array([[1.0, np.nan]]), "y": [0]}, "Sample 0"),
        ({"x": np.array([[1.0, 2.0], [1e300, 2.0]]), "y": [0, 1]}, "Sample 1"),
        ({"x": numbers(3, 2), "y": np.array([1.0, 1e300, 2.5])}, "y holds values that are not finite"),
        ({"x": numbers(3, 2, 2, 2, 2), "y": [0, 1, 2]}, "4 axes"),
        ({"x": np.array([["a"], ["b"]]), "y": [0, 1]}, "holds <U1"),
        ({"x": numbers(3, 8, 8, 8), "y": [0, 1, 2]}, "unclear which axis"),
        ({"x": np.array([[1, -2], [3, 4]]), "y": [0, 1]}, "negative tokens"),
        ({"x": np.array([Boom()], dtype=object), "y": [0]}, "can run code"),
        ({"x": np.array(3.0)}, "have no samples"),
        ({"x": numbers(3, 2, 0), "y": [0, 1, 2]}, "2×0, has no values"),
        ({"x_train": numbers(3, 2), "y_train": [0, 1, 0], "x_val": numbers(2, 3), "y_val": [0, 1]}, "differ in shape"),
        ({"x_train": numbers(3, 3, 8, 8), "x_val": numbers(2)}, "differ in shape"),
        ({"x_train": numbers(3, 3, 8, 8), "x_test": numbers(2, 3)}, "differ in shape"),
    ],
)
def test_what_is_wrong_with_arrays_is_said(tmp_path: Path, found: dict[str, Any], words: str) -> None:
    assert words in refusal(lambda: arrays(tmp_path, **found)).happened


def test_a_cut_off_file_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "set.npz").write_bytes(b"PK\x03\x04 cut")
    problem = refusal(lambda: open_data(recipe({"type": "npz", "path": "set.npz"}), places(tmp_path)))
    assert "no .npz file, or it is cut off" in problem.happened


def test_arrays_sorted_by_class_lose_none_unsaid(tmp_path: Path) -> None:
    found = {"x": numbers(6, 2), "y": [0, 0, 1, 1, 2, 2]}
    for split in ("first", "last"):
        problem = refusal(lambda split=split: arrays(tmp_path, {"validation": 2, "split": split}, **found))
        assert problem.code == "data-lost-classes"
        assert f"the {split} samples" in problem.happened
    assert arrays(tmp_path, {"validation": 1, "split": "last"}, **found).facts.counts == {"train": 5, "val": 1}
    values = {**found, "y": np.array([0.0, 0.0, 1.0, 1.0, 2.0, 2.0])}
    assert arrays(tmp_path, {"validation": 2, "split": "last"}, **values).facts.counts["val"] == 2


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda _: b"", lambda _: b"\x93NUMPY", lambda _: b"PK\x03\x04junk"]
)
def test_a_broken_file_is_one_problem(tmp_path: Path, damage: Any) -> None:
    np.savez(tmp_path / "set.npz", x=numbers(30, 2), y=np.arange(30))
    file = tmp_path / "set.npz"
    file.write_bytes(damage(file.read_bytes()))
    problem = refusal(lambda: open_data(recipe({"type": "npz", "path": "set.npz"}), places(tmp_path)))
    assert "set.npz cannot be read" in problem.happened
