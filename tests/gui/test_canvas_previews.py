"""Resulting shapes in the search come from the checker's own thread, with torch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.examples import load_example
from gui.checker import Checker

from .canvas_world import World, chain, make_world, show


@pytest.fixture
def world(styled: QApplication) -> Iterator[World]:
    yield from make_world(chain(("images", "input")))


def test_each_fitting_row_shows_the_shape_it_would_give(world: World, qtbot: QtBot) -> None:
    checker = Checker(world.document)
    world.view.previewer = checker
    checker.start()
    try:
        show(world.view, load_example("digits-mlp"))
        qtbot.waitUntil(lambda: world.document.analysis.parameters > 0, timeout=60_000)
        images = world.box("images")
        world.view.search_from(images, images.outputs[0], QPointF(300, 300))
        box = world.view.search
        assert box is not None
        QTest.keyClicks(box.field, "conv 64 3")
        qtbot.waitUntil(lambda: box.rows.offers[0].shape != "", timeout=20_000)
        shapes = {offer.declaration.type: offer.shape for offer in box.rows.offers if offer.fits}
        assert shapes["conv2d"] in ("64×8×8", "64×6×6")
    finally:
        checker.stop()
        checker.deleteLater()
