"""Image folders: classes and splits from sub-folders, sizes, colours, and files that are no images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.datasets.images import load_image
from engine.project import Project
from engine.recipe import Recipe
from engine.runtime.data import Data, open_data, read_facts
from tests.engine.data_tools import places, recipe, refusal, shared


def draw(path: Path, *, size: tuple[int, int] = (8, 6), mode: str = "RGB", level: int = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, (level,) * 3 if mode == "RGB" else level).save(path)


def folder(root: Path, names: list[str], **settings: object) -> Path:
    for number, name in enumerate(names):
        draw(root / "set" / name, level=10 * number, **settings)  # type: ignore[arg-type]
    return root


def opened(root: Path, chosen: Recipe | None = None) -> Data:
    return open_data(chosen or recipe({"type": "image_folder", "path": "set", "validation": 0.0}), places(root))


def test_classes_are_the_sub_folders_in_order(tmp_path: Path) -> None:
    data = opened(folder(tmp_path, ["pear/a.png", "apple/b.png", "apple/deep/c.jpg", "apple/notes.txt.png"]))
    assert data.facts.targets["y"].classes == ("apple", "pear")
    assert data.class_counts("train") == {"apple": 3, "pear": 1}
    assert data.facts.inputs["x"].shape == (3, 6, 8)


def test_train_val_and_test_folders_are_kept_apart(tmp_path: Path) -> None:
    names = [f"{split}/{name}/{n}.png" for split in ("train", "valid", "test") for name in ("a", "b") for n in range(2)]
    data = opened(folder(tmp_path, names))
    assert data.facts.counts == {"train": 4, "val": 4, "test": 4}
    assert data.facts.targets["y"].classes == ("a", "b")


def test_one_folder_is_divided_by_the_seed(tmp_path: Path) -> None:
    folder(tmp_path, [f"{name}/{n}.png" for name in ("a", "b") for n in range(10)])
    chosen = {"type": "image_folder", "path": "set", "validation": 4}
    assert opened(tmp_path, recipe(chosen)).facts.counts == {"train": 16, "val": 4}
    prints = {opened(tmp_path, recipe({**chosen, "split_seed": seed})).facts.fingerprint for seed in (0, 0, 1)}
    assert len(prints) == 2


def test_grey_images_have_one_channel_and_mixed_ones_three(tmp_path: Path) -> None:
    folder(tmp_path, ["a/1.png", "b/2.png"], mode="L")
    assert opened(tmp_path).facts.inputs["x"].shape == (1, 6, 8)
    draw(tmp_path / "set" / "b" / "3.png")
    assert opened(tmp_path).facts.inputs["x"].shape == (3, 6, 8)


def test_images_of_different_sizes_need_one_size(tmp_path: Path) -> None:
    folder(tmp_path, ["a/1.png", "b/2.png"])
    draw(tmp_path / "set" / "b" / "3.png", size=(90, 70))
    plain = recipe({"type": "image_folder", "path": "set", "validation": 0.0})
    problem = refusal(lambda: opened(tmp_path, plain))
    assert problem.code == "data-image-sizes"
    assert "8×6 to 90×70" in problem.happened
    mend = problem.fixes[0].apply
    assert mend is not None
    mended = mend(Project(recipe=plain)).recipe
    data = opened(tmp_path, mended)
    assert data.facts.inputs["x"].shape == (3, 16, 16)
    assert next(data.eval_batches("train")).inputs[0].shape == (3, 3, 16, 16)


def test_files_that_are_no_images_are_named_in_one_problem(tmp_path: Path) -> None:
    folder(tmp_path, ["a/1.png", "b/2.png"])
    for number in range(7):
        (tmp_path / "set" / "a" / f"bad{number}.png").write_text("no image")
    problem = refusal(lambda: opened(tmp_path))
    assert problem.code == "data-unreadable-image"
    assert "7 of 9 images" in problem.happened
    assert "bad4.png" in problem.happened
    assert "bad5.png" not in problem.happened
    assert problem.happened.count("bad0.png") == 1
    assert "2 more" in problem.happened
    tolerant = recipe({"type": "image_folder", "path": "set", "validation": 0.0, "skip_unreadable": True})
    assert opened(tmp_path, tolerant).facts.counts == {"train": 2}
    assert read_facts(tolerant, places(tmp_path)).extra["skipped"] == 7


def test_an_image_cut_off_is_found_when_it_is_decoded(tmp_path: Path) -> None:
    folder(tmp_path, ["a/1.png", "b/2.jpg"], size=(64, 64))
    cut = tmp_path / "set" / "b" / "2.jpg"
    cut.write_bytes(cut.read_bytes()[:-200])
    happened = refusal(lambda: opened(tmp_path)).happened
    assert happened.count(str(cut)) == 1
    assert happened.count("cannot be read") == 1


def test_a_folder_above_the_set_is_recognised(tmp_path: Path) -> None:
    folder(tmp_path, ["inner/train/a/1.png", "inner/train/b/2.png"])
    problem = refusal(lambda: opened(tmp_path))
    assert problem.code == "data-one-class"
    assert "inner" in problem.fix


def test_a_class_without_training_images_is_refused(tmp_path: Path) -> None:
    folder(tmp_path, ["train/a/1.png", "train/b/2.png", "val/c/3.png"])
    problem = refusal(lambda: opened(tmp_path))
    assert problem.code == "data-classes-differ"
    assert "c" in problem.happened


@pytest.mark.parametrize("make", [lambda root: None, lambda root: (root / "set").mkdir()])
def test_a_missing_or_empty_folder_says_so(tmp_path: Path, make: object) -> None:
    make(tmp_path)  # type: ignore[operator]
    assert refusal(lambda: opened(tmp_path)).code in ("data-missing", "data-empty-folder")


@pytest.mark.parametrize("channels", [1, 3])
def test_every_usual_kind_of_pixel_becomes_bytes(tmp_path: Path, channels: int) -> None:
    grey = np.full((4, 5), 200, np.uint8)
    images = {
        "L": Image.fromarray(grey),
        "RGBA": Image.fromarray(np.full((4, 5, 4), 200, np.uint8)),
        "P": Image.fromarray(grey).convert("P"),
        "1": Image.fromarray(grey > 0),
        "16": Image.fromarray(grey.astype(np.uint16) << 8),
    }
    for name, image in images.items():
        image.save(tmp_path / f"{name}.png")
        pixels = load_image(tmp_path / f"{name}.png", channels)
        assert pixels.shape == (channels, 4, 5)
        assert pixels.dtype == np.uint8
        assert set(pixels.flatten().tolist()) == ({255} if name == "1" else {200})


def test_real_photographs_of_ants_and_bees_open(tmp_path: Path) -> None:
    import tarfile

    with tarfile.open(shared("hymenoptera/hymenoptera_small_256px.tar")) as archive:
        archive.extractall(tmp_path, filter="data")
    name = next(tmp_path.iterdir()).name
    chosen = recipe({"type": "image_folder", "path": name}, resize=(32, 48), standardize="channel")
    data = open_data(chosen, places(tmp_path))
    assert data.facts.counts == {"train": 244, "val": 153}
    assert data.facts.targets["y"].classes == ("ants", "bees")
    images = np.concatenate([batch.inputs[0].numpy() for batch in data.eval_batches("train")])
    np.testing.assert_allclose(images.mean((0, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(images.std((0, 2, 3)), 1, atol=1e-4)
