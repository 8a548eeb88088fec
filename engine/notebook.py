"""The training script as a notebook (nbformat 4.5): the same text in cells, with words between. Knows no torch."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import Any

from engine.script import Script


def notebook_text(script: Script) -> str:
    """The notebook as JSON. Its last cell trains; everything before only defines."""
    head, *functions = script.sections
    *functions, main, _guard = functions
    # Classes and helpers of the network come first; what follows them are functions.
    place = next(number for number, text in enumerate(functions) if text.startswith("def preprocess("))
    training = next(number for number, text in enumerate(functions) if text.startswith("def generator("))
    body = main.split('"""', 2)[2]
    cells = [
        _words(script.docstring.replace(": `python FILE`", "")),
        _code(head),
        _words("## The network"),
        *map(_code, functions[:place]),
        _words("## The samples"),
        *map(_code, functions[place:training]),
        _words("## The training"),
        *map(_code, functions[training:]),
        _words("## Train"),
        _code(dedent(body).strip()),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    notebook = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _words(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(text: str) -> dict[str, Any]:
    source = text.splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
