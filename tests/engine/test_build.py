"""From text to module, from exception to node, and what the text can never become."""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from engine.problem import ProblemError
from engine.runtime.analyze import analyze
from engine.runtime.build import build, locate
from engine.runtime.device import choose_device, default_threads, describe
from engine.runtime.memory import free_bytes, memory_problem
from tests.engine.drawn import box, deep, draw, facts, group, project


def _fault(model: nn.Module, *inputs: torch.Tensor) -> Exception:
    try:
        model(*inputs)
    except Exception as fault:
        return fault
    raise AssertionError("the model should have failed")


def test_a_failure_in_the_seventh_copy_names_the_seventh_copy() -> None:
    built = build(project(deep(20), facts(x=(784,))))
    built.model.blocks[7].linear.weight = nn.Parameter(torch.zeros(3, 3))
    where = locate(_fault(built.model, torch.zeros(2, 784)), built)
    assert where.label == "blocks.7.linear"
    assert (where.definition, where.node) == ("d", "linear")


def test_a_failure_in_a_layer_without_module_is_found_by_its_line() -> None:
    inner = draw(
        box("x", "group_input"), box("fc", "linear", "x", units=4), box("sum", "add", "x", "fc"),
        box("y", "group_output", "sum"),
    )  # fmt: skip
    graph = draw(box("v", "input"), group("g", "d", "v", repeat=3), box("out", "output", "g"), inside={"d": inner})
    built = build(project(graph, facts(x=(4,))))
    built.model.g[2].fc = nn.Linear(4, 3)
    where = locate(_fault(built.model, torch.zeros(2, 4)), built)
    assert where.label == "g.2.sum"


def test_a_failure_deep_inside_a_layer_of_torch_belongs_to_the_layer() -> None:
    graph = draw(
        box("v", "input"), box("encode", "transformer_encoder_layer", "v", heads=2), box("out", "output", "encode")
    )
    built = build(project(graph, facts(x=(5, 8))))
    built.model.encode.linear1.weight = nn.Parameter(torch.zeros(3, 3))
    assert locate(_fault(built.model, torch.zeros(2, 5, 8)), built).label == "encode"


def test_a_failure_elsewhere_blames_no_layer() -> None:
    built = build(project(deep(2), facts(x=(784,))))
    assert locate(ValueError("elsewhere"), built).node == ""


def test_the_text_of_a_model_in_memory_can_be_read_back() -> None:
    built = build(project(deep(2), facts(x=(784,))))
    assert inspect.getsource(type(built.model)) in built.source


def test_a_run_imports_what_it_wrote_under_a_name_of_its_own(tmp_path: Path) -> None:
    first = build(project(deep(2), facts(x=(784,))), file=tmp_path / "model.py")
    second = build(project(deep(3), facts(x=(784,))), file=tmp_path / "model.py")
    assert first.module is not second.module
    assert sys.modules[second.module.__name__] is second.module
    assert (tmp_path / "model.py").read_text(encoding="utf-8") == second.source
    assert inspect.getsourcefile(type(second.model)) == str(tmp_path / "model.py")


def test_what_stands_in_a_folder_is_never_executed(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("raise SystemExit('executed')", encoding="utf-8")
    assert build(project(deep(2), facts(x=(784,))), file=tmp_path / "model.py").model


def test_a_network_with_errors_is_not_built() -> None:
    graph = draw(box("v", "input"), box("conv", "conv2d", "v"), box("out", "output", "conv"))
    with pytest.raises(ProblemError) as caught:
        build(project(graph, facts(x=(784,))))
    assert caught.value.problem.where.node == "conv"


def test_a_network_larger_than_memory_is_refused_before_it_is_built() -> None:
    graph = draw(box("v", "input"), box("fc", "linear", "v", units=2**24), box("out", "output", "fc"))
    with pytest.raises(ProblemError) as caught:
        build(project(graph, facts(x=(2**24,))))
    assert caught.value.problem.code == "memory"


def test_memory_counts_weights_gradients_and_two_means() -> None:
    free = free_bytes()
    if free is None:
        pytest.skip("this system does not tell how much memory is free")
    assert memory_problem(free // 32) is None
    assert memory_problem(free // 8) is not None


def test_a_gpu_that_is_absent_is_a_problem_and_auto_finds_something() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cpu", "cuda", "mps")
    if not torch.cuda.is_available():
        with pytest.raises(ProblemError, match="finds none"):
            choose_device("cuda")
    with pytest.raises(ProblemError, match="no device"):
        choose_device("abacus")


def test_threads_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert default_threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert default_threads() >= 1
    assert describe(torch.device("cpu"), 1) == "CPU, 1 thread"
    assert describe(torch.device("cpu"), 2) == "CPU, 2 threads"


EVIL = (
    '"""\nimport os\nos.system("touch pwned")\n"""',
    "x\nimport os  # \r\x0b\u2028import os",
    "'); import os; ('",
    '\\"\\n" + __import__("os").getcwd() + "',
    "{__import__('os')}",
    "class\tPwned:\n  pass",
)


@pytest.mark.parametrize("text", EVIL)
def test_words_of_a_project_file_never_become_code(text: str) -> None:
    from engine.datafacts import DataFacts, Target
    from engine.standalone import standalone
    from engine.tensor import TensorInfo

    inner = draw(box("x", "group_input"), box("fc", "linear", "x", units=2), box("y", "group_output", "fc"), title=text)
    graph = draw(
        box("v", "input", stream=text), group("g", "d", "v", repeat=2), box("out", "output", "g", target=text),
        inside={"d": inner},
    )  # fmt: skip
    data = DataFacts({text: TensorInfo((4,))}, {text: Target("class", (text, "b"))})
    harmless = DataFacts({"x": TensorInfo((4,))}, {"y": Target("class", ("a", "b"))})
    plain_inner = replace(inner, title="block")
    plain = draw(
        box("v", "input"), group("g", "d", "v", repeat=2), box("out", "output", "g"), inside={"d": plain_inner}
    )
    evil, good = project(graph, data, name=text), project(plain, harmless)
    evil_text, good_text = standalone(evil, analyze(evil)), standalone(good, analyze(good))
    assert _skeleton(evil_text) == _skeleton(good_text)
    assert build(evil).model(torch.zeros(2, 4)).shape == (2, 2)


def _skeleton(text: str) -> list[str]:
    """The kinds of all parts of the code: names and texts may differ, what is done may not."""
    return [type(node).__name__ for node in ast.walk(ast.parse(text))]


@pytest.mark.parametrize("name", ["a b", "x=1;import os", "__class__", "forward", "torch", "class", "a\nb", "fc\u2028"])
def test_a_name_that_is_no_name_gives_a_problem_and_no_source(name: str) -> None:
    graph = draw(box("v", "input"), box(name, "linear", "v", units=2), box("out", "output", name))
    analysis = analyze(project(graph, facts(x=(4,))))
    assert analysis.errors
    assert analysis.source == ""


def test_settings_that_are_no_numbers_never_reach_the_text() -> None:
    for value in ("__import__('os')", {"a": 1}, float("nan"), [1, 2]):
        graph = draw(box("v", "input"), box("fc", "linear", "v", units=value), box("out", "output", "fc"))
        assert analyze(project(graph, facts(x=(4,)))).source == ""
