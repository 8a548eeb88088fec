"""Version, licence and what Layerwright is built on."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMessageBox, QWidget

_BUILT_ON = ("torch", "torchvision", "PySide6-Essentials", "pyqtgraph", "numpy", "scikit-learn", "safetensors")


def show_about(parent: QWidget) -> None:
    """Opens the box."""
    rows = [f"{name} {found}" for name in _BUILT_ON if (found := _version(name))]
    QMessageBox.about(
        parent,
        _tr("About Layerwright"),
        f"<h3>Layerwright {_version('layerwright') or '0.1.0'}</h3>"
        f"<p>{_tr('Draw a neural network, train it, and see inside it while it trains.')}</p>"
        f"<p>{_tr('Built on')} {', '.join(rows)}.</p>",
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _tr(text: str) -> str:
    return QCoreApplication.translate("About", text)
