"""torchvision's sets: read as torchvision reads them, fetched with its addresses and checksums, traps mended."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torchvision import datasets

from engine.datasets.facts import known_facts
from engine.declare import catalogue, make
from engine.places import Places
from engine.runtime.data import fetch, needs_download, open_data
from tests.engine.data_tools import places, recipe, refusal, shared

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (30, 28, 28), np.uint8)
LABELS = (np.arange(30) % 10).astype(np.uint8)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address under which it is served."""
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def idx(values: Any) -> bytes:
    return struct.pack(">HBB", 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def mnist_files(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for prefix in ("train", "t10k"):
        (folder / f"{prefix}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES)))
        (folder / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS)))


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist", "cifar10", "cifar100", "emnist", "svhn"])
def test_what_is_declared_is_what_torchvision_knows(name: str, tmp_path: Path) -> None:
    made = make("dataset", {"type": name})
    cls = getattr(datasets, made.torchvision)
    plan = needs_download(recipe(name), places(tmp_path))
    assert plan is not None
    assert plan.size == round(made.megabytes * 1e6)
    assert f"{made.torchvision}, " in plan.words
    assert all(len(file.checksum) == 32 for file in plan.files)
    if name in ("fashion_mnist", "kmnist"):
        assert list(made.class_names()) == cls.classes
    if name == "mnist":
        assert [f"{word} " for word in made.class_names()] == [word[:2] for word in cls.classes]
    known = known_facts(recipe(name, resize=8))
    assert known is not None
    assert known.inputs["x"].spatial == (8, 8)
    assert sum(known.counts.values()) == sum(made.num_samples())


@pytest.mark.parametrize("part", datasets.EMNIST.splits)
def test_emnist_counts_its_classes_as_torchvision_does(part: str) -> None:
    words = make("dataset", {"type": "emnist", "part": part}).class_names()
    known = datasets.EMNIST.classes_split_dict[part]
    assert list(words) == [word for word in known if word != "N/A"]


def test_a_set_is_fetched_checked_and_read(
    served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url = served
    mnist_files(folder)
    sums = [(name, md5((folder / name).read_bytes())) for name, _ in datasets.MNIST.resources]
    monkeypatch.setattr(datasets.MNIST, "resources", sums)
    monkeypatch.setattr(datasets.MNIST, "mirrors", [url + "/"])
    chosen, where = recipe({"type": "mnist", "validation": 10, "split": "last"}), places(tmp_path / "data")
    problem = refusal(lambda: open_data(chosen, where))
    assert problem.code == "data-missing"
    assert str(tmp_path / "data") in problem.fix
    data = open_data(chosen, where, download=True)
    assert data.facts.counts == {"train": 20, "val": 10, "test": 30}
    assert np.array_equal(np.concatenate(data.samples("train", range(20)).inputs["x"]), IMAGES[:20])
    assert data.labels("val").tolist() == LABELS[20:].tolist()
    theirs = datasets.MNIST(tmp_path / "data", train=False, download=True)
    assert np.array_equal(theirs.data.numpy(), np.concatenate(data.samples("test", range(30)).inputs["x"]))


def test_a_fetched_archive_with_another_checksum_is_removed(
    served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url = served
    mnist_files(folder)
    monkeypatch.setattr(datasets.MNIST, "mirrors", [url + "/"])
    problem = refusal(lambda: fetch(recipe("mnist"), places(tmp_path / "data")))
    assert problem.code == "data-checksum"
    assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file()]


@pytest.mark.parametrize("damage", [lambda data: data[:-300], lambda _: b"no archive", lambda _: gzip.compress(b"123")])
def test_a_damaged_archive_is_named(tmp_path: Path, damage: Any) -> None:
    mnist_files(tmp_path / "MNIST" / "raw")
    file = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte.gz"
    file.write_bytes(damage(file.read_bytes()))
    problem = refusal(lambda: open_data(recipe({"type": "mnist", "validation": 5}), places(tmp_path)))
    assert problem.code == "data-broken-file"
    assert str(file) in problem.fix


def test_emnist_letters_start_at_a_and_stand_upright(tmp_path: Path) -> None:
    raw = tmp_path / "EMNIST" / "raw"
    raw.mkdir(parents=True)
    labels = (np.arange(30) % 26 + 1).astype(np.uint8)
    with zipfile.ZipFile(raw / "gzip.zip", "w") as archive:
        for split in ("train", "test"):
            sideways = np.ascontiguousarray(IMAGES.swapaxes(1, 2))
            archive.writestr(f"gzip/emnist-letters-{split}-images-idx3-ubyte.gz", gzip.compress(idx(sideways)))
            archive.writestr(f"gzip/emnist-letters-{split}-labels-idx1-ubyte.gz", gzip.compress(idx(labels)))
    data = open_data(recipe({"type": "emnist", "part": "letters", "validation": 0.0}), places(tmp_path))
    assert data.labels("train").tolist() == (labels - 1).tolist()
    assert data.samples("train", [0, 25]).labels == ("a", "z")
    assert np.array_equal(np.concatenate(data.samples("test", range(30)).inputs["x"]), IMAGES)


def cifar_archive(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A CIFAR-10 archive of 60 images whose checksums torchvision is told to expect; returns the images."""
    pixels = RANDOM.integers(0, 256, (60, 3072), np.uint8)
    names = [name for name, _ in datasets.CIFAR10.train_list + datasets.CIFAR10.test_list]
    files = {
        name: pickle.dumps({"data": pixels[10 * n : 10 * n + 10], "labels": list(range(10))})
        for n, name in enumerate(names)
    }
    files["batches.meta"] = pickle.dumps({"label_names": list("abcdefghij")})
    with tarfile.open(folder / datasets.CIFAR10.filename, "w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    monkeypatch.setattr(datasets.CIFAR10, "train_list", [[name, md5(files[name])] for name in names[:5]])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", [[names[5], md5(files[names[5]])]])
    meta = {**datasets.CIFAR10.meta, "md5": md5(files["batches.meta"])}
    monkeypatch.setattr(datasets.CIFAR10, "meta", meta)
    whole = (folder / datasets.CIFAR10.filename).read_bytes()
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", md5(whole))
    return pixels.reshape(-1, 3, 32, 32)


def test_cifar_is_fetched_unpacked_and_read(
    served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url = served
    images = cifar_archive(folder, monkeypatch)
    monkeypatch.setattr(datasets.CIFAR10, "url", f"{url}/{datasets.CIFAR10.filename}")
    chosen = recipe({"type": "cifar10", "validation": 5, "split": "first"})
    data = open_data(chosen, places(tmp_path / "data"), download=True)
    assert data.facts.counts == {"train": 45, "val": 5, "test": 10}
    assert np.array_equal(np.stack(data.samples("val", range(5)).inputs["x"]), images[:5])
    assert np.array_equal(np.stack(data.samples("test", range(10)).inputs["x"]), images[50:])
    assert data.facts.targets["y"].classes[0] == "airplane"


def test_a_changed_pickle_is_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Boom:
        def __reduce__(self) -> Any:
            return (pytest.fail, ("code from a data file ran",))

    cifar_archive(tmp_path, monkeypatch)
    chosen = recipe({"type": "cifar10", "validation": 5})
    open_data(chosen, places(tmp_path))
    (tmp_path / "cifar-10-batches-py" / "data_batch_2").write_bytes(pickle.dumps(Boom()))
    assert refusal(lambda: open_data(chosen, places(tmp_path))).code == "data-broken-file"


def test_a_changed_archive_is_never_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cifar_archive(tmp_path, monkeypatch)
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", "0" * 32)
    problem = refusal(lambda: open_data(recipe("cifar10"), places(tmp_path)))
    assert "checksum" in problem.happened
    assert [path.name for path in tmp_path.iterdir()] == [datasets.CIFAR10.filename]


def test_house_numbers_come_from_matlab_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.io import savemat

    pixels = RANDOM.integers(0, 256, (32, 32, 3, 20), np.uint8)
    labels = (np.arange(20) % 10 + 1).astype(np.uint8)[:, None]
    for split in ("train", "test"):
        savemat(tmp_path / f"{split}_32x32.mat", {"X": pixels, "y": labels})
    sums = {
        split: [url, name, md5((tmp_path / name).read_bytes())]
        for split, (url, name, _) in datasets.SVHN.split_list.items()
        if split != "extra"
    }
    monkeypatch.setattr(datasets.SVHN, "split_list", sums)
    data = open_data(recipe({"type": "svhn", "validation": 0.0}), places(tmp_path))
    assert data.labels("train")[:10].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
    assert np.array_equal(np.stack(data.samples("train", range(20)).inputs["x"]), pixels.transpose(3, 2, 0, 1))


def test_every_torchvision_set_names_a_class_that_exists() -> None:
    found = [item.cls for item in catalogue().all("dataset").values() if hasattr(item.cls, "torchvision")]
    assert len(found) == 7
    assert all(hasattr(datasets, cls.torchvision) for cls in found)


def test_the_real_fashion_mnist_opens_from_a_read_only_folder(tmp_path: Path) -> None:
    where = Places(data=shared("fashion-mnist"), folder=tmp_path)
    chosen = recipe({"type": "fashion_mnist", "validation": 5000, "split": "last"}, standardize="feature")
    assert needs_download(chosen, where) is None
    data = open_data(chosen, where)
    assert data.facts.counts == {"train": 55_000, "val": 5_000, "test": 10_000}
    assert data.labels("train")[:3].tolist() == [9, 0, 0]
    assert data.class_counts("test") == dict.fromkeys(data.facts.targets["y"].classes, 1000)
    # One pixel hardly ever changes; nothing is clipped or padded, so its rare values are far out.
    assert float(data.preprocess["x"].deviation.min()) == pytest.approx(0.00038, abs=1e-5)
    assert list(tmp_path.iterdir()) == []


def test_a_choice_of_classes_is_numbered_anew_in_its_order(tmp_path: Path) -> None:
    mnist_files(tmp_path / "MNIST" / "raw")
    settings = recipe({"type": "mnist", "only": "7, 2, 5", "validation": 3, "split": "last"})
    data = open_data(settings, places(tmp_path))
    assert data.facts.targets["y"].classes == ("7", "2", "5")
    assert data.facts.counts == {"train": 6, "val": 3, "test": 9}
    kept = [place for place in range(30) if place % 10 in (7, 2, 5)]
    batch = next(iter(data.eval_batches("train", 100)))
    assert batch.targets[0].tolist() == [{7: 0, 2: 1, 5: 2}[place % 10] for place in kept[:6]]
    np.testing.assert_allclose(batch.inputs[0].numpy()[:, 0] * 255, IMAGES[kept[:6]], atol=1e-4)
    assert known_facts(settings) is None
    whole = open_data(recipe({"type": "mnist", "validation": 3, "split": "last"}), places(tmp_path))
    assert whole.facts.fingerprint != data.facts.fingerprint


@pytest.mark.parametrize(("only", "words"), [
    ("7", "One class alone"), ("7, 12", "no class '12'"), ("7, 7", "named twice"),
])  # fmt: skip
def test_a_choice_of_classes_that_cannot_be_says_which_there_are(tmp_path: Path, only: str, words: str) -> None:
    mnist_files(tmp_path / "MNIST" / "raw")
    problem = refusal(lambda: open_data(recipe({"type": "mnist", "only": only}), places(tmp_path)))
    assert words in problem.happened
    assert "0, 1, 2" in problem.expected
