"""What is known before reading equals what reading finds; splits are seeded; files are looked for in order."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine.datafacts import DataFacts
from engine.datasets.facts import known_facts, raw_streams
from engine.datasets.find import find_path
from engine.datasets.split import split_indices, split_sizes
from engine.declare import catalogue
from engine.places import Places
from engine.runtime.data import open_data, read_facts
from tests.engine.data_tools import places, recipe, refusal

DRAWN = [
    {"type": "digits"}, {"type": "digits", "form": "sequence", "sums": True}, {"type": "digits", "as": "vector"},
    {"type": "moons"}, {"type": "circles", "samples": 77}, {"type": "spirals", "classes": 5, "test": 0.1},
]  # fmt: skip


@pytest.mark.parametrize("data", DRAWN, ids=str)
def test_known_facts_are_the_facts_that_reading_finds(data: dict[str, Any], tmp_path: Path) -> None:
    for preprocess in ({}, {"resize": 12, "color": "rgb"}):
        known = known_facts(recipe(data, **preprocess))
        found = read_facts(recipe(data, **preprocess), places(tmp_path))
        assert known is not None
        assert (known.inputs, known.targets, known.counts) == (found.inputs, found.targets, found.counts)
        opened = open_data(recipe(data, **preprocess), places(tmp_path))
        shapes = [tuple(item.shape[1:]) for item in next(opened.eval_batches("train")).inputs]
        assert shapes == [info.shape for info in known.inputs.values()]
        assert raw_streams(DataFacts.from_json(found.to_json())) == raw_streams(found)


def test_facts_of_known_sets_need_no_torch() -> None:
    code = (
        "import sys\n"
        "from engine.datasets.facts import known_facts\n"
        "from engine.recipe import Recipe\n"
        "for name in ('digits', 'fashion_mnist', 'emnist', 'cifar100', 'svhn', 'spirals'):\n"
        "    assert known_facts(Recipe({'data': {'type': name}})).counts['train'] > 0\n"
        "assert known_facts(Recipe({'data': {'type': 'csv'}})) is None\n"
        "print([name for name in ('torch', 'torchvision', 'sklearn', 'PIL') if name in sys.modules])\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", sorted(catalogue().all("dataset")))
def test_every_data_set_has_a_reader(name: str) -> None:
    from importlib import import_module

    assert callable(import_module(catalogue().all("dataset")[name].cls.reader).read)


def test_digits_are_the_ones_that_scikit_learn_loads(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    known = load_digits()
    data = open_data(recipe({"type": "digits", "validation": 0.0}), places(tmp_path))
    assert np.array_equal(np.concatenate(data.samples("train", range(1797)).inputs["x"]), known.images)
    assert np.array_equal(data.labels("train"), known.target)


def settings(**values: Any) -> Any:
    return SimpleNamespace(**{"validation": 0.2, "test": 0.0, "split": "random", "split_seed": 0, "limit": 0, **values})


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ({}, {"train": 80, "val": 20}),
        ({"validation": 0.0}, {"train": 100}),
        ({"validation": 30.0, "test": 0.1}, {"train": 60, "val": 30, "test": 10}),
        ({"limit": 50}, {"train": 40, "val": 10}),
        ({"limit": 500}, {"train": 80, "val": 20}),
    ],
)
def test_parts_and_numbers_are_kept(values: dict[str, Any], counts: dict[str, int]) -> None:
    assert split_sizes({"train": 100}, settings(**values)) == counts
    chosen = split_indices({"train": 100}, settings(**values))
    assert {split: len(index) for split, (_, index) in chosen.items()} == counts
    everything = np.concatenate([index for _, index in chosen.values()])
    assert len(set(everything.tolist())) == sum(counts.values())


def test_a_split_follows_its_own_seed() -> None:
    first, same, other = (
        split_indices({"train": 100}, settings(split_seed=seed))["val"][1].tolist() for seed in (3, 3, 4)
    )
    assert first == same
    assert first != other


@pytest.mark.parametrize(("split", "val", "test"), [("last", (70, 90), (90, 100)), ("first", (10, 30), (0, 10))])
def test_the_ends_of_a_set_can_be_kept(split: str, val: tuple[int, int], test: tuple[int, int]) -> None:
    chosen = split_indices({"train": 100}, settings(split=split, test=10.0))
    assert chosen["val"][1].tolist() == list(range(*val))
    assert chosen["test"][1].tolist() == list(range(*test))


def test_a_sets_own_parts_are_used_whole() -> None:
    chosen = split_indices({"train": 10, "val": 4, "test": 3}, settings())
    assert {split: (pool, len(index)) for split, (pool, index) in chosen.items()} == {
        "train": ("train", 10), "val": ("val", 4), "test": ("test", 3),
    }  # fmt: skip


def test_a_limit_keeps_every_class_of_a_sorted_set(tmp_path: Path) -> None:
    data = open_data(recipe({"type": "digits", "limit": 300}), places(tmp_path))
    assert min(data.class_counts("train").values()) > 10


def test_data_is_looked_for_in_the_given_folder_then_beside_the_project_then_in_the_settings(tmp_path: Path) -> None:
    given, beside, usual = (tmp_path / name for name in ("given", "beside", "usual"))
    where = Places(data=given, beside=beside, folder=usual)
    for folder in (usual, beside, given):
        folder.mkdir()
        (folder / "t.csv").write_text("a\n")
        assert find_path("t.csv", where) == folder / "t.csv"
    assert find_path(str(usual / "t.csv"), where) == usual / "t.csv"


def test_a_missing_file_says_where_it_was_looked_for(tmp_path: Path) -> None:
    where = Places(data=tmp_path / "given", beside=None, folder=tmp_path / "usual")
    problem = refusal(lambda: find_path("t.csv", where))
    assert problem.code == "data-missing"
    assert str(tmp_path / "given" / "t.csv") in problem.expected
    assert str(tmp_path / "usual" / "t.csv") in problem.expected
    assert refusal(lambda: find_path("", where)).code == "data-no-path"


def test_points_are_drawn_alike_everywhere(tmp_path: Path) -> None:
    data = open_data(recipe({"type": "spirals", "noise": 0.0, "validation": 0.0}), places(tmp_path))
    points = np.stack(data.samples("train", range(1000)).inputs["x"])
    labels = data.labels("train")
    radius = np.hypot(points[:, 0], points[:, 1])
    angle = 2 * np.pi * (1.5 * radius + labels / 2)
    np.testing.assert_allclose(points, radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1), atol=1e-5)
    assert data.class_counts("train") == {"arm 1": 500, "arm 2": 500}


def test_an_unknown_data_set_or_setting_is_a_problem(tmp_path: Path) -> None:
    from engine.problem import ProblemError

    for data in ({"type": "unicorns"}, {"type": "digits", "noise": 1}, {"type": "moons", "samples": -1}):
        with pytest.raises(ProblemError) as caught:
            open_data(recipe(data), places(tmp_path))
        assert caught.value.problem.where.path == "recipe.data"


def test_keeping_every_sample_apart_is_refused() -> None:
    problem = refusal(lambda: split_sizes({"train": 10}, settings(validation=10.0)))
    assert problem.code == "data-no-training-samples"
