"""The callback that writes the figures of every epoch into a table in the run's folder."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from engine.callback import TrainingView
from engine.runfiles import replace_file
from engine.runtime.callbacks.requests import BuiltIn

FILE = "metrics.csv"
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}


class WriteCsv(BuiltIn):
    """One row per epoch, one column per figure. Rows of epochs that will be trained again are taken out first."""

    def __init__(self, separator: str = ",") -> None:
        super().__init__()
        self._separator = separator
        self._columns: list[str] = []

    def on_train_begin(self, view: TrainingView) -> None:
        """See `Callback`."""
        rows = self._read(view.run / FILE)
        self._columns = rows[0] if rows and rows[0][:1] == ["epoch"] else []
        kept = [row for row in rows[1:] if row and row[0].isdecimal() and int(row[0]) < view.epoch]
        if self._columns:
            replace_file(view.run / FILE, self._text([self._columns, *kept]))

    def on_epoch_end(self, view: TrainingView) -> None:
        """See `Callback`."""
        figures = {key: value for key, value in view.figures.items() if value is not None}
        file = view.run / FILE
        new = [name for name in figures if name not in self._columns]
        if new:
            # The first epoch makes the head; a figure that comes up later makes the table wider.
            rows = self._read(file)[1:]
            self._columns += new
            replace_file(file, self._text([self._columns, *rows]))
        with open(file, "a", encoding="utf-8", newline="") as stream:
            stream.write(self._text([[_shown(figures.get(name)) for name in self._columns]]))

    def _read(self, file: Path) -> list[list[str]]:
        if not file.exists():
            return []
        text = file.read_text("utf-8")
        whole = text[: text.rfind("\n") + 1]  # a kill may have torn the last line
        return [row for row in csv.reader(io.StringIO(whole), delimiter=self._separator) if row]

    def _text(self, rows: Sequence[Sequence[str]]) -> str:
        stream = io.StringIO()
        csv.writer(stream, delimiter=self._separator, lineterminator="\n").writerows(rows)
        return stream.getvalue()


def _shown(value: object) -> str:
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)
