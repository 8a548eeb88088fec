"""The columns of a table, written out for the exported file: `encode` turns rows of text into what `predict` takes.

Owns the words of that function; which column becomes what was learned by `engine.datasets.encoding`. Knows no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.datafacts import DataFacts
from engine.datasets.encoding import GAP, MISSING, Column
from engine.expr import quoted
from engine.source_parts import bracketed


def table_columns(data: DataFacts | None) -> tuple[Column, ...]:
    """The columns of the table that the data came from, target left out; empty where it was no table."""
    table: Any = (data.extra if data else {}).get("table")
    return tuple(Column.from_json(item) for item in table["columns"]) if table else ()


def encode_lines(columns: Sequence[Column]) -> str:
    """The constants and the function `encode(rows)`."""
    words, numbers = any(column.categories for column in columns), any(not column.categories for column in columns)
    kind = " | ".join(["float"] * numbers + ["tuple[str, ...]"] * words)
    lines = [f"COLUMNS: dict[str, {kind}] = {{"]
    for column in columns:
        before = f"{quoted(column.name)}: "
        if column.categories:
            texts = [quoted(word) for word in column.categories]
            if len(texts) == 1:
                lines.append(f"    {before}({texts[0]},),")
            else:
                lines += bracketed(f"{before}(", texts, "),", 4)
        else:
            lines.append(f"    {before}{column.fill!r},")
    lines += [
        "}",
        '"""A number with what stands for a gap, or words, each of which is a feature."""',
        "",
        *bracketed("GAPS = {", [quoted(word) for word in sorted(MISSING)], "}", 0),
        "",
        "",
        "def encode(rows: list[dict[str, str]]) -> Tensor:",
        '    """Rows of the table by column name, such as `csv.DictReader` reads, as `predict` takes them."""',
        "    features: list[list[float]] = []",
        "    for row in rows:",
        "        found: list[float] = []",
        "        for name, known in COLUMNS.items():",
        "            cell = row[name].strip()",
        "            gap = cell.lower() in GAPS",
    ]
    one_of = f"found += [float(word == ({quoted(GAP)} if gap else cell)) for word in known]"
    if words and numbers:
        lines += [
            "            if isinstance(known, tuple):",
            f"                {one_of}",
            "            else:",
            "                found.append(known if gap else float(cell))",
        ]
    else:
        lines.append(f"            {one_of if words else 'found.append(known if gap else float(cell))'}")
    lines += ["        features.append(found)", "    return torch.tensor(features)"]
    return "\n".join(lines)
