"""Qt's own spin boxes beside the fields of this package: their text begins where that of every other field does.

The style sheet cannot do it: Qt gives the field inside a spin box neither the padding of the box nor its own.
"""

from __future__ import annotations

from PySide6.QtWidgets import QAbstractSpinBox, QLineEdit, QWidget

TEXT_MARGIN = 7


def align_text(holder: QWidget) -> None:
    """Moves the text of a spin box, or of every spin box inside a widget, to the right."""
    boxes = [holder] if isinstance(holder, QAbstractSpinBox) else holder.findChildren(QAbstractSpinBox)
    for box in boxes:
        for entry in box.findChildren(QLineEdit):
            entry.setTextMargins(TEXT_MARGIN, 0, 0, 0)
