"""Whether things may move: the person's setting, else what the system asks for.

Owns that one question. Never animates anything itself.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from functools import cache

from gui import settings

CLIENT_AREA_ANIMATION = 0x1042
"""SPI_GETCLIENTAREAANIMATION in the Windows headers."""


def motion_ms(milliseconds: int) -> int:
    """How long a movement that normally takes `milliseconds` may take: the same, or 0 with reduced motion."""
    return 0 if reduced() else milliseconds


def reduced() -> bool:
    """Whether the person or the system asked for less motion."""
    chosen = settings.motion.get()
    return chosen == "reduced" or (chosen != "full" and _system_reduces())


@cache
def _system_reduces() -> bool:
    """Ask the system once; a system that cannot be asked has not asked for less motion."""
    if sys.platform == "win32":
        enabled = ctypes.c_int(1)
        ctypes.windll.user32.SystemParametersInfoW(CLIENT_AREA_ANIMATION, 0, ctypes.byref(enabled), 0)
        return not enabled.value
    if sys.platform == "darwin":
        return _says(("defaults", "read", "com.apple.universalaccess", "reduceMotion"), "1")
    return _says(("gsettings", "get", "org.gnome.desktop.interface", "enable-animations"), "false")


def _says(command: tuple[str, ...], answer: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=1, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.stdout.strip() == answer
