"""Text of the helper classes that torch lacks, for the generated file.

Helpers are ordinary typed classes in `engine/runtime/modules/`, one a file, importing only torch and math. Their text
is read, never imported here, so this module stays free of torch.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "runtime" / "modules"


def file_name(helper: str) -> str:
    """The module that holds a helper: `SwishBeta` stands in `swish_beta`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", helper).lower()


def helper_text(helper: str) -> str:
    """Everything of the helper's file but its docstring and its imports, ending without a line break."""
    return _read(helper, FOLDER)


@lru_cache(maxsize=256)
def _read(helper: str, folder: Path) -> str:
    text = (folder / f"{file_name(helper)}.py").read_text(encoding="utf-8")
    lines = text.splitlines()
    kept: list[str] = []
    previous = 0
    for statement in ast.parse(text).body:
        first = min([statement.lineno, *(item.lineno for item in getattr(statement, "decorator_list", ()))])
        if not isinstance(statement, (ast.Import, ast.ImportFrom)) and not _is_docstring(statement):
            kept.extend(lines[previous : statement.end_lineno] if kept else lines[first - 1 : statement.end_lineno])
        previous = statement.end_lineno or previous
    return "\n".join(kept).strip("\n")


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
