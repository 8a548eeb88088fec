"""ONNX files as they come: damaged, cut off, too new, pointing elsewhere; the command as a person uses it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import external_data_helper, helper

from engine.problem import ProblemError
from engine.projectfile import read_project
from engine.runtime.importing.onnx import file as files
from engine.runtime.importing.onnx.project import bring_onnx
from engine.weightfile import beside
from tests.engine.cli_tools import command
from tests.engine.onnx_files import brought, drawn, model_of, node, onnx_version, written

Caps = pytest.CaptureFixture[str]


def simple(**facts: Any) -> Any:
    return model_of([node("Gemm", ["x", "fc.weight"], ["y"])], {"x": ["n", 6]}, {"fc.weight": drawn(6, 3)}, **facts)


def code_of(path: Path) -> str:
    with pytest.raises(ProblemError) as caught:
        bring_onnx(path)
    assert len(caught.value.problems) == 1
    return caught.value.problem.code


def test_the_command_writes_a_project_with_weights_that_checks(capsys: Caps, tmp_path: Path) -> None:
    source, path = written(tmp_path / "net.onnx", simple()), tmp_path / "out.lwr"
    said = command(capsys, "import", f"onnx:{source}", "-o", path, "--json")
    assert said.code == 0
    assert said.lines[-1]["parameters"] == 18
    assert said.lines[-1]["relative_difference"] < 1e-5
    assert said.lines[-1]["batches"] == [1, 3]
    assert beside(path).is_file()
    assert command(capsys, "check", path).code == 0
    project = read_project(path).project
    assert project.data is not None
    assert project.data.targets["y"].classes == ("0", "1", "2")
    assert "onnxruntime" in command(capsys, "import", f"onnx:{source}", "-o", path).out


def test_a_file_that_cannot_be_read_leaves_no_project(capsys: Caps, tmp_path: Path) -> None:
    path = tmp_path / "out.lwr"
    path.write_text("kept")
    for source in (tmp_path / "none.onnx", tmp_path, written(tmp_path / "bad.onnx", model_of(
        [node("Det", ["x"], ["y"])], {"x": ["n", 2, 2]}, {}))):  # fmt: skip
        said = command(capsys, "import", f"onnx:{source}", "-o", path)
        assert (said.code, said.err.count("error")) == (2, 1), said.err
    assert command(capsys, "import", "onnx:a.onnx", "--classes", 3, "-o", path).code == 2
    assert path.read_text() == "kept"


@pytest.mark.parametrize("share", [0, 1, 30, 60, 95, 99])
def test_files_that_were_cut_off_or_are_something_else_are_refused(tmp_path: Path, share: int) -> None:
    whole = simple().SerializeToString()
    path = tmp_path / "net.onnx"
    path.write_bytes(whole[: len(whole) * share // 100])
    assert code_of(path) in ("onnx-file", "onnx-opset")


def test_random_bytes_and_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    for content in (b"hello", os.urandom(3000), b"\x00" * 3000, b"PK\x03\x04" + os.urandom(100)):
        path.write_bytes(content)
        assert code_of(path) == "onnx-file"


def test_a_byte_changed_anywhere_is_a_problem_or_harmless(tmp_path: Path) -> None:
    whole = simple().SerializeToString()
    draw = np.random.default_rng(0)
    for _ in range(60):
        changed = bytearray(whole)
        changed[draw.integers(len(changed))] ^= int(draw.integers(1, 256))
        path = tmp_path / "net.onnx"
        path.write_bytes(bytes(changed))
        try:
            files.read_network(path)
        except ProblemError:
            continue


@pytest.mark.parametrize(("opset", "words"), [(6, "later opset_version"), (onnx_version() + 1, "newer onnx")])
def test_versions_that_are_not_known_are_refused(tmp_path: Path, opset: int, words: str) -> None:
    with pytest.raises(ProblemError, match=words) as caught:
        bring_onnx(written(tmp_path / "net.onnx", simple(opset=opset)))
    assert caught.value.problem.code == "onnx-opset"


def outside(path: Path, location: str) -> Path:
    model = simple()
    tensor = model.graph.initializer[0]
    external_data_helper.set_external_data(tensor, location, offset=0, length=72)
    tensor.ClearField("raw_data")
    return written(path, model)


def test_weights_in_a_file_beside_are_read(tmp_path: Path) -> None:
    path = outside(tmp_path / "net.onnx", "net.onnx.data")
    assert code_of(path) == "onnx-data"
    (tmp_path / "net.onnx.data").write_bytes(drawn(6, 3).tobytes())
    assert brought(path).analysis.parameters == 18
    (tmp_path / "net.onnx.data").write_bytes(drawn(6, 2).tobytes())
    assert code_of(path) == "onnx-file"


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/../../secret", "..\\secret", "C:\\secret", "link"])
def test_weights_outside_of_the_folder_are_never_opened(tmp_path: Path, location: str) -> None:
    secret, home = tmp_path / "secret", tmp_path / "home"
    secret.write_bytes(drawn(6, 3).tobytes())
    home.mkdir()
    (home / "link").symlink_to(secret)
    assert code_of(outside(home / "net.onnx", location)) == "onnx-outside"


def test_functions_of_the_file_are_written_out_and_bombs_of_them_refused(tmp_path: Path) -> None:
    body = helper.make_function(
        "mine", "Twice", ["a"], ["b"], [node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 17)]
    )
    model = model_of([node("Twice", ["x"], ["y"], domain="mine")], {"x": ["n", 3]}, {})
    model.opset_import.append(helper.make_opsetid("mine", 1))
    model.functions.append(body)
    assert brought(written(tmp_path / "net.onnx", model)).analysis.nodes
    for place in range(40):
        inner = f"F{place - 1}" if place else "Twice"
        calls = [node(inner, ["a"], ["c"], domain="mine"), node(inner, ["c"], ["b"], domain="mine")]
        imports = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
        model.functions.append(helper.make_function("mine", f"F{place}", ["a"], ["b"], calls, imports))
    model.graph.node[0].op_type = "F39"
    with pytest.raises(ProblemError, match="too long"):
        files.read_network(written(tmp_path / "bomb.onnx", model))


def test_without_the_package_the_problem_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "find_spec", lambda name: None)
    with pytest.raises(ProblemError, match="layerwright\\[onnx\\]"):
        bring_onnx(written(tmp_path / "net.onnx", simple()))


def test_a_network_that_answers_otherwise_than_onnxruntime_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.runtime.importing.onnx import layers
    from engine.runtime.importing.onnx.table import OPERATORS

    def wrong(build: Any, op: Any, a: Any, b: Any) -> Any:
        op.settings["alpha"] = 1.001
        return layers._gemm(build, op, a, b)

    monkeypatch.setitem(OPERATORS, "Gemm", wrong)
    assert code_of(written(tmp_path / "net.onnx", simple())) == "onnx-differs"


def test_half_precision_weights_become_float32_and_this_is_told(tmp_path: Path) -> None:
    weights = {"fc.weight": drawn(6, 3).astype(np.float16)}
    model = model_of([node("Gemm", ["x", "fc.weight"], ["y"])], {"x": ["n", 6]}, weights, dtype="float16")
    found = bring_onnx(written(tmp_path / "net.onnx", model))
    assert [item.code for item in found.problems] == ["onnx-narrowed"]
