"""Beside the answer: what the network saw, what a layer made of it, and what in it mattered for the answer.

Owns the three views and their words. Only what is shown is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from engine.asked import CAM, GRADIENTS, LAYER, SALIENCY, SEEN, LayerInfo, Reply, Saliency, Seen
from engine.datasets.raw import Array
from engine.heatmap import overlay
from gui.numbers import number, shape_text
from gui.theme import metrics
from gui.widgets.bar_rows import BarRows, Row
from gui.widgets.choices import Choice
from gui.widgets.pixels import MOST_MAPS, MapsView, PixelView, image_of, shades
from gui.widgets.segmented import SegmentedSwitch

LOOKS = (SEEN, LAYER, SALIENCY)
MOST_ROWS = 4_096


class InsidePart(QWidget):
    """Three views, one at a time."""

    asked = Signal()
    """Another view, layer or method is wanted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wanted: tuple[str, str] | None = None
        self._layers: tuple[LayerInfo, ...] = ()
        self._chosen = False
        self.switch = SegmentedSwitch([self.tr("Seen"), self.tr("Layer"), self.tr("Why")], dense=True)
        for place, tip in enumerate((
            self.tr("The numbers that entered the network, after preprocessing"),
            self.tr("What a layer gives for this sample: a picture for each feature map, else a bar for each unit"),
            self.tr("Which parts of the input speak for the answer; press a class to see what speaks for that one"),
        )):  # fmt: skip
            self.switch.segment(place).setToolTip(tip)
        self.layer = Choice(dense=True)
        self.layer.setToolTip(self.tr("Which layer; selecting one on the canvas chooses it too"))
        self.layer.setAccessibleName(self.tr("Layer"))
        ways = [(GRADIENTS, self.tr("Integrated gradients")), (CAM, self.tr("Grad-CAM"))]
        self.method = Choice(ways, GRADIENTS, dense=True)
        self.method.setToolTip(self.tr("Integrated gradients: for each number of the input; Grad-CAM: for the places "
                                       "of the last feature maps, or of the layer chosen under Layer"))  # fmt: skip
        self.method.setAccessibleName(self.tr("Method"))
        self.picture, self.maps, self.bars = PixelView(), MapsView(), BarRows()
        self.words = QLabel()
        self.words.setProperty("role", "hint")
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._stack = QStackedWidget()
        for view in (self.picture, self.maps, self.bars):
            self._stack.addWidget(view)
        self._lay_out()
        self.switch.currentChanged.connect(self._switched)
        self.layer.committed.connect(self._choose)
        self.method.committed.connect(lambda _method: self.asked.emit())

    @property
    def look(self) -> str:
        """Which view is in front."""
        return LOOKS[self.switch.current]

    @property
    def path(self) -> str:
        """The layer that was chosen; "" for the first."""
        return str(self.layer.value() or "")

    @property
    def layer_is_chosen(self) -> bool:
        """Whether the person chose the layer, here or on the canvas; Grad-CAM takes the last maps otherwise."""
        return self._chosen

    def clear(self, *, layers: bool = False) -> None:
        """Shows nothing; with `layers` the list of another network's layers goes too."""
        self.picture.show_image(QImage())
        self.maps.show_maps(np.zeros((0, 1, 1), np.float32))
        self.bars.show_rows(())
        self.words.setText("")
        if layers:
            self._layers, self._chosen = (), False
            self.layer.set_options([])

    def select_node(self, node: tuple[str, str] | None) -> None:
        """A layer was selected on the canvas: it is looked into, where the run has it."""
        self._wanted = node
        found = next((layer for layer in self._layers if layer.node == node), None)
        if found is not None and found.path != self.path:
            self.layer.set_value(found.path)
            self._chosen = True
            if self.look == LAYER:
                self.asked.emit()

    def set_stale(self) -> None:
        """Pales what is shown while something newer is on its way."""
        for view in (self.picture, self.maps, self.bars):
            view.set_stale(True)

    def show_reply(self, reply: Reply) -> None:
        """Shows what this view is about."""
        if reply.layers:
            self._offer(reply.layers, reply.layer)
        if self.look == SEEN:
            self._show_seen(reply)
        elif self.look == LAYER and reply.layer is not None and reply.activations is not None:
            self._show_layer(reply.layer, reply.activations)
        elif self.look == SALIENCY:
            self._show_saliency(reply)

    def _show_seen(self, reply: Reply) -> None:
        name, seen = next(iter(reply.seen.items()))
        self._show_values(seen, seen.values)
        low, high = seen.span
        words = self.tr("{0}, numbers from {1} to {2}").format(shape_text(seen.values.shape), number(low), number(high))
        if len(reply.seen) > 1:
            words = self.tr("{0}, the first of {1} inputs: {2}").format(name, len(reply.seen), words)
        self.words.setText("; ".join((words, *reply.said)))

    def _show_values(self, seen: Seen, values: Array) -> None:
        grid = _grid(values)
        if grid is not None:
            low, high = float(np.nanmin(values)), float(np.nanmax(values))
            self.picture.show_image(image_of(shades(grid, low, high)))
            self._stack.setCurrentWidget(self.picture)
            return
        self._show_bars(values, seen.names)

    def _show_bars(self, values: Array, names: tuple[str, ...] = ()) -> None:
        flat = np.ravel(values)[:MOST_ROWS].astype(float)
        named = names if len(names) >= len(flat) else tuple(map(str, range(len(flat))))
        self.bars.show_rows([Row(name, value, number(value)) for name, value in zip(named, flat, strict=False)])
        self._stack.setCurrentWidget(self.bars)

    def _show_layer(self, layer: LayerInfo, values: Array) -> None:
        low, high = float(values.min()), float(values.max())
        words = self.tr("{0}, numbers from {1} to {2}").format(shape_text(layer.shape), number(low), number(high))
        if len(layer.shape) == 3 and layer.shape[1] * layer.shape[2] > 1:
            self.maps.show_maps(values)
            self._stack.setCurrentWidget(self.maps)
            if len(values) > MOST_MAPS:
                words += "; " + self.tr("the first {0} of {1} maps").format(MOST_MAPS, len(values))
            words += "; " + self.tr("black is the least number, white the greatest")
        elif len(layer.shape) == 2 and min(layer.shape) > 1:
            self.picture.show_image(image_of(shades(values, low, high)))
            self._stack.setCurrentWidget(self.picture)
            words += "; " + self.tr("steps downwards, features to the right")
        else:
            self._show_bars(values)
        self.words.setText(words)

    def _show_saliency(self, reply: Reply) -> None:
        if reply.trouble is not None or reply.saliency is None:
            self.clear()
            trouble = reply.trouble
            self.words.setText(f"{trouble.happened}. {trouble.fix}." if trouble else "")
            return
        found = reply.saliency
        name, values = next(iter(found.maps.items()))
        picture = reply.picture if name in _images(reply.seen) else None
        if picture is not None:
            self.picture.show_image(image_of(overlay(picture, values)))
            self._stack.setCurrentWidget(self.picture)
        elif (grid := _grid(values)) is not None and grid.ndim == 2:
            shown = np.repeat(shades(_grid_of(reply.seen[name]), *reply.seen[name].span)[:, :, None], 3, 2)
            self.picture.show_image(image_of(overlay(shown, grid)))
            self._stack.setCurrentWidget(self.picture)
        else:
            self._show_bars(values, reply.seen[name].names)
        self.words.setText(self._saliency_words(found))

    def _saliency_words(self, found: Saliency) -> str:
        if found.method == CAM:
            return self.tr("Orange: what speaks for {0}, at {1}").format(found.answer, found.layer)
        if self._stack.currentWidget() is self.bars:
            words = self.tr("For {0}: to the right speaks for it, to the left against")
        else:
            words = self.tr("For {0}: orange speaks for it, blue against")
        more = self.tr("from {0} the raw output changes by {1}, to which all adds up but for {2}").format(
            found.baseline, number(found.rise), number(abs(found.gap), 2)
        )
        parts = [words.format(found.answer), more]
        if len(found.maps) > 1:
            parts.insert(1, self.tr("{0}, the first of {1} inputs").format(next(iter(found.maps)), len(found.maps)))
        return "; ".join(parts)

    def _choose(self, _path: str) -> None:
        self._chosen = True
        self.asked.emit()

    def _offer(self, layers: tuple[LayerInfo, ...], shown: LayerInfo | None) -> None:
        if layers != self._layers:
            kept = self.path
            self._layers = layers
            self.layer.set_options([(one.path, f"{one.path}  {shape_text(one.shape)}") for one in layers])
            wanted = next((one.path for one in layers if one.node == self._wanted), "")
            self.layer.set_value((shown.path if shown else "") or kept or wanted or layers[0].path)

    def _switched(self, _place: int) -> None:
        self.layer.setVisible(self.look == LAYER)
        self.method.setVisible(self.look == SALIENCY)
        self.clear()
        self.asked.emit()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(metrics.grid)
        head.addWidget(self.switch)
        head.addWidget(self.layer, 1)
        head.addWidget(self.method, 1)
        head.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self._stack, 1)
        column.addWidget(self.words)
        self.layer.hide()
        self.method.hide()


def _images(seen: Mapping[str, Seen]) -> tuple[str, ...]:
    return tuple(name for name, one in seen.items() if one.kind == "image")


def _grid(values: Array) -> Array | None:
    """An array as a picture (h, w) or (h, w, 3); None where it is a list of numbers."""
    if values.ndim == 3:
        return np.moveaxis(values, 0, -1) if len(values) == 3 else values[0]
    return values if values.ndim == 2 and min(values.shape) > 1 else None


def _grid_of(seen: Seen) -> Array:
    grid = _grid(seen.values)
    return seen.values if grid is None else grid
