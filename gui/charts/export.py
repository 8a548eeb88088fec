"""A chart as a file: picture, drawing or table.

Owns the three formats. Whole files only: they are written beside their place and then moved there.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPoint, QSaveFile, QSize
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QWidget

from engine.problem import Problem, ProblemError, Severity, Where

PICTURE_SCALE = 2
"""Pixels per pixel of a PNG: sharp in a report and on paper."""

FORMATS = ("png", "svg", "csv")


def export(widget: QWidget, values: Mapping[str, np.ndarray], path: Path) -> None:
    """Write `widget` as PNG or SVG, or its `values` as CSV, by the ending of `path`.

    Raises ProblemError for another ending or a file that cannot be written.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise _refused(path, f'A chart cannot be written as "{path.suffix or path.name}"', "png, svg or csv")
    content = {"png": lambda: _png(widget), "svg": lambda: _svg(widget), "csv": lambda: _table(values)}[kind]()
    file = QSaveFile(str(path))
    if not file.open(QIODevice.OpenModeFlag.WriteOnly):
        raise _refused(path, f"The file cannot be written: {file.errorString()}", "a folder that can be written to")
    file.write(content)
    if not file.commit():
        raise _refused(path, f"The file could not be finished: {file.errorString()}", "room on the disk")


def _refused(path: Path, happened: str, expected: str) -> ProblemError:
    fix = "Choose another name or folder."
    return ProblemError(Problem(Severity.ERROR, Where(file=str(path)), happened, expected, fix, code="chart.export"))


def _png(widget: QWidget) -> QByteArray:
    picture = QPixmap(widget.size() * PICTURE_SCALE)
    picture.setDevicePixelRatio(PICTURE_SCALE)
    widget.render(picture, QPoint())
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")
    return buffer.data()


def _svg(widget: QWidget) -> QByteArray:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    drawing = QSvgGenerator()
    drawing.setOutputDevice(buffer)
    drawing.setSize(QSize(widget.width(), widget.height()))
    drawing.setViewBox(widget.rect())
    painter = QPainter(drawing)
    widget.render(painter, QPoint())
    painter.end()
    return buffer.data()


def _table(values: Mapping[str, np.ndarray]) -> QByteArray:
    """One column per array; shorter ones end in empty cells."""
    lines: list[str] = []

    class _Lines:
        def write(self, line: str) -> None:
            lines.append(line)

    writer = csv.writer(_Lines())
    writer.writerow(values.keys())
    columns = [array.tolist() for array in values.values()]
    writer.writerows(zip_longest(*columns, fillvalue=""))
    return QByteArray("".join(lines).encode())
