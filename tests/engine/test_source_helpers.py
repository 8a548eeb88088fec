"""Helper classes that torch lacks travel with the generated file."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from engine import source_helpers
from engine.declare import layer, registry
from engine.expr import Expr, helpers
from engine.param import param
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.source_helpers import file_name, helper_text
from tests.engine.drawn import box, draw, facts, project

TEXT = '''"""Swish with a slope."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SwishSlope(nn.Module):
    """x * sigmoid(slope * x), Ramachandran 2017."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.slope * x)
'''


@pytest.fixture
def swish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    file = tmp_path / "swish_slope.py"
    file.write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(source_helpers, "FOLDER", tmp_path)
    spec = importlib.util.spec_from_file_location("engine.runtime.modules.swish_slope", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, spec.name, module)

    @layer("swish_slope", title="Swish")
    class SwishSlope:
        """Swish with a slope."""

        slope: float = param(default=1.0)

        def build(self, x: object) -> Expr:
            made: Expr = helpers.SwishSlope(self.slope)
            return made

    yield
    registry._by_kind["layer"].pop("swish_slope")


def test_the_text_of_a_helper_comes_without_docstring_and_imports(swish: None) -> None:
    assert file_name("SwishSlope") == "swish_slope"
    text = helper_text("SwishSlope")
    assert text.startswith("class SwishSlope(nn.Module):")
    assert text.endswith("torch.sigmoid(self.slope * x)")


def test_a_network_with_a_helper_holds_its_class_once_and_runs(swish: None) -> None:
    inner = draw(
        box("x", "group_input"), box("fc", "linear", "x", units=3), box("act", "swish_slope", "fc", slope=2.0),
        box("y", "group_output", "act"), title="Swish slope",
    )  # fmt: skip
    graph = draw(
        box("v", "input"), box("g", "group", "v", more={"definition": "d", "repeat": 3}), box("out", "output", "g"),
        inside={"d": inner},
    )  # fmt: skip
    drawn = project(graph, facts(x=(4,)))
    analysis = analyze(drawn)
    assert analysis.source.count("class SwishSlope(nn.Module):") == 1
    assert "class SwishSlope2(nn.Module):" in analysis.source, "the block of that title gives way"
    assert "self.act = SwishSlope(2.0)" in analysis.source
    model = build(drawn, analysis=analysis).model
    x = torch.randn(2, 3)
    assert torch.equal(model.g[0].act(x), x * torch.sigmoid(2.0 * x))
    for number, (_, node) in analysis.lines.items():
        assert node in analysis.source.splitlines()[number - 1] or node in ("y", "out")
