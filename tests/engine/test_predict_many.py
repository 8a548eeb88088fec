"""Folders to CSV, and `predict` with its options as a person types them."""

from __future__ import annotations

import csv
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.datasets.raw import Cancelled
from engine.examples import load_example
from engine.runtime.predict import predict
from engine.runtime.predict_many import expanded, predict_to_csv
from engine.runtime.restore import Restored
from tests.engine.cli_tools import command
from tests.engine.test_predict import trained


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Restored:
    return trained(tmp_path_factory.mktemp("many"), load_example("digits-cnn"))


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three pictures, one of them deeper down, a broken one and a text."""
    root = tmp_path / "pictures"
    (root / "more").mkdir(parents=True)
    draw = np.random.default_rng(0)
    for name, size in (("a.png", (8, 8)), ("b.png", (30, 20)), ("more/c.bmp", (8, 8))):
        Image.fromarray(draw.integers(0, 255, size, dtype=np.uint8)).save(root / name)
    (root / "broken.jpg").write_bytes(b"no picture")
    (root / "notes.md").write_text("words")
    (root / ".hidden").write_text("")
    return root


def rows(file: Path) -> list[dict[str, str]]:
    with open(file, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_file_of_a_folder_has_its_row_and_none_is_lost(digits, folder, tmp_path):
    found = predict_to_csv(digits, [folder], tmp_path / "out.csv")
    assert (found.samples, found.files, len(found.problems)) == (3, 5, 2)
    table = rows(tmp_path / "out.csv")
    assert [Path(row["file"]).name for row in table] == ["a.png", "b.png", "broken.jpg", "c.bmp", "notes.md"]
    assert [row["problem"] == "" for row in table] == [True, True, False, True, False]
    for item, row in zip(predict(digits, expanded([folder])), table, strict=True):
        if not row["problem"]:
            scores = next(iter(item.answers.values())).scores
            assert row["class"] == scores[0][0]
            assert {name: float(row[f"probability of {name}"]) for name, _ in scores} == dict(scores)


def test_a_cancelled_folder_leaves_nothing(digits, folder, tmp_path):
    cancel = threading.Event()
    seen = []

    def progress(done, total, words):
        seen.append((done, total))
        cancel.set()

    with pytest.raises(Cancelled):
        predict_to_csv(digits, [folder], tmp_path / "out.csv", progress=progress, cancel=cancel)
    assert seen == [(0, 5)]
    assert not list(tmp_path.glob("*.csv*"))


def test_the_command_writes_a_csv_and_tells_what_was_not_read(digits, folder, capsys, tmp_path):
    out = tmp_path / "out.csv"
    said = command(capsys, "predict", digits.info.path, folder, "--csv", out, "--json")
    assert said.code == 1
    (line,) = said.lines
    assert (line["samples"], len(line["problems"])) == (3, 2)
    assert said.err.count("error:") == 2
    assert command(capsys, "predict", digits.info.path, folder, "--csv", tmp_path / "no" / "out.csv").code == 2
    assert len(command(capsys, "predict", digits.info.path, folder / "more", "--json").lines) == 1


def test_the_command_writes_what_mattered_as_a_picture(digits, folder, capsys, tmp_path):
    out = tmp_path / "why.png"
    for method in ("integrated_gradients", "grad_cam"):
        said = command(capsys, "predict", digits.info.path, folder / "a.png", "--saliency", out, "--method", method,
                       "--explain", "7", "--json")  # fmt: skip
        assert said.code == 0, said.err
        assert said.lines[0]["saliency"]["explains"] == "7"
        with Image.open(out) as image:
            assert image.size == (224, 224)
    assert command(capsys, "predict", digits.info.path, folder, folder, "--saliency", out).code == 2
    assert command(capsys, "predict", digits.info.path, folder / "a.png", "--saliency", tmp_path / "a.what").code == 2


def test_a_drawing_is_told_to_be_one(digits, capsys, tmp_path):
    paper = np.full((90, 60), 240, np.uint8)
    paper[10:80, 40:46] = 10
    Image.fromarray(paper).save(tmp_path / "one.png")
    plain, drawn = (
        command(capsys, "predict", digits.info.path, tmp_path / "one.png", "--json", *more).lines[0]
        for more in ((), ("--drawing",))
    )
    assert plain["top"] != drawn["top"]
