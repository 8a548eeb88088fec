"""Known image sets that lie as image files: recognised by their classes alone, read with the set's own numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.datasets.image_copies import find_copy
from engine.declare import make
from engine.runtime.data import Data, needs_download, open_data
from tests.engine.data_tools import places, recipe, refusal, shared

CLASSES = tuple(make("dataset", {"type": "cifar10"}).class_names())


def level(number: int, place: int) -> int:
    """A grey that tells the class and the place of an image."""
    return 20 * number + place


def copy_of(root: Path, *, train: int = 8, test: int = 2, side: int = 32) -> Path:
    """CIFAR-10 as files: so many images per class, each of one colour of its own."""
    for split, count in (("train", train), ("test", test)):
        for number, name in enumerate(CLASSES):
            folder = root / split / name
            folder.mkdir(parents=True)
            for place in range(count):
                Image.new("RGB", (side, side), (level(number, place),) * 3).save(folder / f"{place:04}.png")
    return root


def cifar(root: Path, **settings: object) -> Data:
    chosen = {"type": "cifar10", "validation": 10, "split": "last", **settings}
    return open_data(recipe(chosen), places(root))


@pytest.mark.parametrize("deep", [False, True])
def test_a_copy_is_taken_for_the_set_and_nothing_is_fetched(tmp_path: Path, deep: bool) -> None:
    copy_of(tmp_path / "images" if deep else tmp_path)
    assert needs_download(recipe("cifar10"), places(tmp_path)) is None
    data = cifar(tmp_path)
    assert data.facts.counts == {"train": 70, "val": 10, "test": 20}
    assert data.facts.inputs["x"].shape == (3, 32, 32)
    assert data.facts.targets["y"].classes == CLASSES
    for split in ("train", "val", "test"):
        numbers = range(data.facts.counts[split])
        images = np.stack(data.samples(split, numbers).inputs["x"])
        assert np.array_equal(images[:, 0, 0, 0] // 20, data.labels(split)), "each image has the number of its class"


def test_a_copy_is_mixed_so_that_its_last_images_hold_every_class(tmp_path: Path) -> None:
    data = cifar(copy_of(tmp_path, train=20, test=1), validation=100)
    counts = np.bincount(data.labels("val"), minlength=10)
    # A draw of 100 of 200 leaves out a class of 20 with a chance below 1e-6 each.
    assert counts.min() > 0
    again = cifar(tmp_path, validation=100)
    assert again.facts.fingerprint == data.facts.fingerprint


@pytest.mark.parametrize("change", ["one more", "one less", "another name", "no train"])
def test_classes_that_are_not_all_those_of_the_set_are_no_copy(tmp_path: Path, change: str) -> None:
    copy_of(tmp_path / "images", train=1, test=1)
    train = tmp_path / "images" / "train"
    if change == "one more":
        (train / "zebra").mkdir()
    elif change == "one less":
        (train / "cat" / "0000.png").unlink()
        (train / "cat").rmdir()
    elif change == "another name":
        (train / "cat").rename(train / "Cats")
    else:
        train.rename(tmp_path / "images" / "training")
    assert find_copy(CLASSES, [tmp_path]) is None
    assert refusal(lambda: cifar(tmp_path)).code == "data-missing"


def test_a_folder_that_is_not_there_hides_no_copy_in_the_next(tmp_path: Path) -> None:
    copy_of(tmp_path / "here" / "images", train=1, test=1)
    roots = [tmp_path / "nowhere", tmp_path / "here"]
    assert find_copy(CLASSES, roots) == tmp_path / "here" / "images"


def test_images_of_another_size_are_no_copy_of_the_set(tmp_path: Path) -> None:
    copy_of(tmp_path)
    Image.new("RGB", (40, 30)).save(tmp_path / "test" / "dog" / "0001.png")
    problem = refusal(lambda: cifar(tmp_path))
    assert problem.code == "data-image-sizes"
    assert "0001.png has 40×30 pixels" in problem.happened
    assert "32×32" in problem.expected


def test_an_unreadable_image_of_a_copy_is_named(tmp_path: Path) -> None:
    copy_of(tmp_path)
    (tmp_path / "train" / "frog" / "0002.png").write_bytes(b"no image")
    problem = refusal(lambda: cifar(tmp_path))
    assert "frog/0002.png" in problem.happened


def test_the_original_files_win_over_a_copy(tmp_path: Path) -> None:
    copy_of(tmp_path, train=1, test=1)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "data_batch_1").write_bytes(b"cut off")
    problem = refusal(lambda: cifar(tmp_path))
    assert problem.code == "data-broken-file"
    assert "cifar-10-batches-py" in problem.fix


def test_the_real_copy_of_cifar_opens_as_cifar(tmp_path: Path) -> None:
    """A few files of the real archive, as many of each class."""
    import tarfile

    file = shared("cifar10/cifar10_images.tar.gz")
    kept: dict[str, int] = {}
    with tarfile.open(file, "r|gz") as archive:
        for item in archive:
            folder = str(Path(item.name).parent)
            if item.isfile() and kept.get(folder, 0) < 2:
                kept[folder] = kept.get(folder, 0) + 1
                archive.extract(item, tmp_path, filter="data")
            if len(kept) == 20 and all(count == 2 for count in kept.values()):
                break
    data = cifar(tmp_path, validation=0.0)
    assert data.facts.counts == {"train": 20, "test": 20}
    assert data.class_counts("train") == dict.fromkeys(CLASSES, 2)
