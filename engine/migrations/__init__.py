"""Steps from one project file format to the next, one module each: `to_2.py` has `migrate(data) -> data`.

A step gets the parsed file and returns the same project as the next format writes it. Steps are never changed after
their release: the files in the golden tests are read for ever.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def migrate(data: dict[str, Any], found: int, wanted: int) -> dict[str, Any]:
    """The parsed file brought from format `found` to `wanted`, step by step; unchanged when there is nothing to do."""
    for step in range(found + 1, wanted + 1):
        module = import_module(f"{__name__}.to_{step}")
        data = {**module.migrate(data), "format": step}
    return data
