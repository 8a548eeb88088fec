"""A finished export in words: how well it agrees, what was written, what it was tried on. Shows nothing itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QWidget

from gui.numbers import bytes_text, number


def report_title(widget: QWidget, report: Any) -> str:
    """That the export agrees, and how well."""
    words = widget.tr("Exported and read back. Largest difference on {0} samples: {1}")
    return words.format(report.samples, number(report.largest_difference))


def report_words(widget: QWidget, report: Any) -> str:
    """What was written and what it was tried on; then what a training script repeats."""
    tried = widget.tr("tried on samples of the data") if report.real_samples else widget.tr("tried on drawn numbers")
    files = ", ".join(Path(file).name for file in report.files)
    parts = [files, bytes_text(report.bytes), tried, *_figures(widget, report)]
    lines = ["  ·  ".join(parts)]
    if report.same_samples:
        first = widget.tr("the first epoch ends with the very losses of the run") if report.same_losses else ""
        same = widget.tr("The script reads the very samples of the training")
        lines.append("  ·  ".join(part for part in (same, first) if part))
    lines += [widget.tr("Not repeated exactly: {0}").format(limit) for limit in report.limits]
    return "\n".join(lines)


def _figures(widget: QWidget, report: Any) -> list[str]:
    parts = []
    if report.largest_difference:
        relative, allowed = number(report.largest_relative_difference), number(report.allowed)
        parts.append(widget.tr("relative {0} of {1} allowed").format(relative, allowed))
    if report.classes_agree:
        parts.append(widget.tr("every class is the same"))
    elif report.agreement is not None:
        parts.append(widget.tr("{0} % of the classes are the same").format(f"{100 * report.agreement:.0f}"))
    parts.append(widget.tr("{0} ms per sample").format(number(report.latency_ms)))
    if report.baked:
        parts.append(widget.tr("baked in: {0}").format(", ".join(report.baked)))
    if "fold" in report.options:
        names = ", ".join(report.folded)
        parts.append(widget.tr("folded: {0}").format(names) if names else widget.tr("no batch norm could be folded"))
    return parts
