"""Drawings and odd pictures: cut out and centred as the data is, and one warning for each oddity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.datasets.strokes import DIGITS, MNIST
from engine.drawing import frame, ink_of
from engine.pictures import read_picture


def bar(height: int, width: int, top: int, left: int, side: int = 280) -> np.ndarray:
    ink = np.zeros((side, side), np.float32)
    ink[top : top + height, left : left + width] = 1
    return ink


def test_as_in_mnist_a_drawing_fills_twenty_pixels_and_its_mass_lies_in_the_middle():
    for ink in (bar(200, 40, 10, 5), bar(60, 20, 200, 220), bar(30, 120, 100, 100)):
        found = frame(ink, (28, 28), MNIST).ink
        rows, columns = np.nonzero(found > 0.05)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
        total = found.sum()
        centre = [(found.sum(axis) * np.arange(28)).sum() / total for axis in (1, 0)]
        assert centre == pytest.approx([13.5, 13.5], abs=0.51)


def test_as_in_digits_a_drawing_fills_the_image():
    found = frame(bar(160, 60, 30, 12), (8, 8), DIGITS)
    rows, columns = np.nonzero(found.ink > 0.05)
    assert (rows.min(), rows.max()) == (0, 7)
    assert columns.min() >= 2
    assert columns.max() <= 5
    assert "centred by its box" in found.said[0]


def test_nothing_drawn_is_an_empty_image_and_is_said():
    found = frame(np.zeros((50, 50), np.float32), (28, 28), MNIST)
    assert found.ink.max() == 0
    assert found.said == ("nothing is drawn",)


def test_without_a_form_of_characters_a_drawing_is_only_scaled():
    ink = bar(280, 140, 0, 0)
    found = frame(ink, (10, 10), None)
    assert np.array_equal(found.ink[:, :5], np.ones((10, 5)))
    assert "not centred" in found.said[0]


def test_dark_on_light_is_turned_round_and_light_on_dark_is_not():
    pixels = np.full((1, 40, 40), 230, np.uint8)
    pixels[0, 10:30, 18:22] = 30
    ink, said = ink_of(pixels)
    assert ink[20, 20] == 1
    assert ink[0, 0] == 0
    assert any("turned round" in words for words in said)
    other, said = ink_of(255 - pixels)
    assert np.allclose(other, ink)
    assert not any("turned round" in words for words in said)


def saved(folder: Path, name: str, image: Image.Image, **more: object) -> Path:
    image.save(folder / name, **more)
    return folder / name


def oddities(folder: Path) -> dict[str, Path]:
    half = Image.new("RGBA", (6, 4), (0, 0, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = np.zeros((4, 6, 3), np.uint8)
    upright[:, :3] = 255
    frames = [Image.new("L", (6, 4), level) for level in (10, 200)]
    return {
        "predict-frames": saved(folder, "a.gif", frames[0], save_all=True, append_images=frames[1:]),
        "predict-deep": saved(folder, "a.png", Image.fromarray(np.full((4, 6), 40_000, np.uint16))),
        "predict-transparent": saved(folder, "b.png", half),
        "predict-turned": saved(folder, "a.jpg", Image.fromarray(upright), exif=exif),
    }


def test_each_oddity_of_a_picture_is_one_warning_with_a_way_out(tmp_path):
    for code, file in oddities(tmp_path).items():
        for as_stored in (True, False):
            remarks = read_picture(file, 1, as_stored=as_stored).remarks
            assert [problem.code for problem in remarks] == [code]
            assert remarks[0].expected
            assert remarks[0].fix


def test_a_picture_is_read_as_training_read_it_or_as_a_person_sees_it(tmp_path):
    files = oddities(tmp_path)
    assert read_picture(files["predict-turned"], 3, as_stored=True).pixels.shape == (3, 4, 6)
    assert read_picture(files["predict-turned"], 3, as_stored=False).pixels.shape == (3, 6, 4)
    assert read_picture(files["predict-transparent"], 1, as_stored=True).pixels.max() == 0
    assert read_picture(files["predict-transparent"], 1, as_stored=False).pixels.min() == 255


def test_an_opaque_alpha_channel_and_pasted_pixels_are_nothing_odd(tmp_path):
    plain = saved(tmp_path, "c.png", Image.new("RGBA", (3, 3), (9, 9, 9, 255)))
    assert read_picture(plain, 1, as_stored=False).remarks == ()
    pasted = read_picture(np.full((5, 4, 4), 255, np.uint8), 3, as_stored=False, label="pasted")
    assert pasted.pixels.shape == (3, 5, 4)
    assert pasted.remarks == ()
