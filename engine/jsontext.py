"""JSON that people can read and compare: what fits a line stands on one, the rest is spread out.

So a node is a line of the file, and moving one changes one line. Knows nothing of projects.
"""

from __future__ import annotations

import json
from typing import Any

WIDTH = 118


def readable(value: Any) -> str:
    """The JSON text of plain data, ended by a new line; ValueError for numbers that JSON does not have."""
    return _spread(value, 0, first=True) + "\n"


def _spread(value: Any, indent: int, *, first: bool = False) -> str:
    short = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if not isinstance(value, (dict, list)) or not value or (len(short) + indent <= WIDTH and not first):
        return short
    margin = " " * (indent + 1)
    if isinstance(value, dict):
        names = {key: f"{margin}{json.dumps(key, ensure_ascii=False)}: " for key in value}
        parts = [name + _spread(value[key], indent + 1) for key, name in names.items()]
        return "{\n" + ",\n".join(parts) + "\n" + " " * indent + "}"
    parts = [margin + _spread(item, indent + 1) for item in value]
    return "[\n" + ",\n".join(parts) + "\n" + " " * indent + "]"
