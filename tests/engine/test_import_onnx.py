"""ONNX files become graphs that answer as onnxruntime does; what cannot is a Problem that names the operator."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from engine.problem import ProblemError
from engine.runtime.importing.onnx.project import bring_onnx
from tests.engine.onnx_files import brought, drawn, model_of, node, types, written

IMAGE, ROWS = ["n", 4, 9, 8], ["n", 5, 6]


def one(kind: str, *weights: Any, shape: list[Any] = IMAGE, opset: int = 17, outputs: int = 1, **settings: Any) -> Any:
    """A network of one operator, or of it and the sum of its outputs."""
    names = {f"w{place}": value for place, value in enumerate(weights) if value is not None}
    inputs = ["x", *(f"w{place}" if value is not None else "" for place, value in enumerate(weights))]
    made = ["y"] if outputs == 1 else [f"y{place}" for place in range(outputs)]
    nodes = [node(kind, inputs, made, **settings)]
    if outputs > 1:
        nodes.append(node("Concat", made, ["y"], axis=1))
    return model_of(nodes, {"x": shape}, names, opset=opset)


ones, ints = np.ones, lambda *values: np.array(values, dtype=np.int64)
MODELS: dict[str, tuple[Any, list[str]]] = {
    "conv": (one("Conv", drawn(6, 4, 3, 3), drawn(6)), ["conv2d"]),
    "conv groups": (one("Conv", drawn(8, 2, 3, 3), group=2, strides=[2, 1], dilations=[1, 2], pads=[1, 2, 1, 2]),
                    ["conv2d"]),
    "conv same": (one("Conv", drawn(6, 4, 3, 3), strides=[2, 2], auto_pad="SAME_UPPER"), ["zero_pad2d", "conv2d"]),
    "conv same lower": (one("Conv", drawn(6, 4, 2, 2), auto_pad="SAME_LOWER"), ["zero_pad2d", "conv2d"]),
    "conv uneven": (one("Conv", drawn(6, 4, 3, 3), pads=[0, 1, 1, 1]), ["zero_pad2d", "conv2d"]),
    "conv 1d": (one("Conv", drawn(7, 5, 3), shape=ROWS, pads=[1, 1]), ["conv1d"]),
    "conv transposed": (one("ConvTranspose", drawn(4, 3, 3, 3), drawn(3), strides=[2, 2], pads=[1, 1, 1, 1],
                            output_padding=[1, 1]), ["conv_transpose2d"]),
    "batch norm": (one("BatchNormalization", drawn(4), drawn(4), drawn(4), ones(4, "f") * 2), ["batch_norm2d"]),
    "layer norm": (one("LayerNormalization", drawn(6), drawn(6), shape=ROWS), ["layer_norm"]),
    "layer norm of two axes": (one("LayerNormalization", drawn(5, 6), drawn(5, 6), shape=ROWS, axis=1), ["layer_norm"]),
    "instance norm": (one("InstanceNormalization", drawn(4), drawn(4)), ["instance_norm2d"]),
    "max pool": (one("MaxPool", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 0]), ["max_pool2d"]),
    "max pool same": (one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER",
                          shape=["n", 4, 8, 8]), ["max_pool2d"]),
    "max pool up": (one("MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1), ["max_pool2d"]),
    "average pool": (one("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1]), ["avg_pool2d"]),
    "average pool counted": (one("AveragePool", kernel_shape=[3, 3], pads=[0, 0, 1, 1], count_include_pad=1),
                             ["zero_pad2d", "avg_pool2d"]),
    "pool 1d": (one("MaxPool", kernel_shape=[2], strides=[2], shape=ROWS), ["max_pool1d"]),
    "global average": (one("GlobalAveragePool"), ["adaptive_avg_pool2d"]),
    "global max of rows": (one("GlobalMaxPool", shape=ROWS), ["reduce"]),
    "gemm": (one("Gemm", drawn(6, 3), drawn(3), shape=["n", 6], alpha=0.5, beta=2.0), ["linear"]),
    "gemm turned": (one("Gemm", drawn(3, 6), shape=["n", 6], transB=1), ["linear"]),
    "matmul": (one("MatMul", drawn(6, 3), shape=ROWS), ["linear"]),
    "concat": (model_of([node("Relu", ["x"], ["a"]), node("Concat", ["a", "x"], ["y"], axis=-1)], {"x": ROWS}, {}),
               ["relu", "concatenate"]),
    "split": (one("Split", ints(1, 3), outputs=2, axis=1), ["slice", "slice", "concatenate"]),
    "split evenly": (one("Split", outputs=2, axis=2, shape=["n", 3, 4], opset=11),
                     ["slice", "slice", "concatenate"]),
    "slice": (one("Slice", ints(1, -3), ints(3, 2**62), ints(1, 2)), ["slice", "slice"]),
    "every second": (one("Slice", ints(1), ints(2**62), ints(3), ints(2)), ["reshape", "select"]),
    "slice of old": (one("Slice", starts=[1], ends=[4], axes=[2], opset=9), ["slice"]),
    "pick": (one("Gather", np.array(-1), axis=2), ["select"]),
    "pick a run": (one("Gather", ints(1, 2), axis=1), ["slice"]),
    "squeeze": (model_of([node("ReduceMean", ["x"], ["a"], axes=[2], keepdims=1), node("Squeeze", ["a", "s"], ["y"])],
                         {"x": ROWS}, {"s": ints(2)}), ["mean", "squeeze"]),
    "unsqueeze": (one("Unsqueeze", ints(2), shape=ROWS), ["unsqueeze"]),
    "flatten": (one("Flatten"), ["flatten"]),
    "reshape": (one("Reshape", ints(0, 8, -1)), ["reshape"]),
    "transpose": (one("Transpose", perm=[0, 2, 3, 1]), ["permute"]),
    "there and back": (model_of([node("Transpose", ["x"], ["a"], perm=[0, 2, 3, 1]), node("Relu", ["a"], ["b"]),
                                 node("Transpose", ["b"], ["y"], perm=[0, 3, 1, 2])], {"x": IMAGE}, {}),
                       ["permute", "relu", "permute"]),
    "mean": (one("ReduceMean", axes=[2, 3], keepdims=0), ["mean"]),
    "largest": (one("ReduceMax", ints(1), shape=ROWS, opset=18), ["reduce"]),
    "resize": (one("Resize", None, np.array([1, 1, 2, 2], "f"), mode="nearest", nearest_mode="floor",
                   coordinate_transformation_mode="asymmetric"), ["upsample"]),
    "resize smooth": (one("Resize", None, None, ints(1, 4, 18, 16), mode="linear", shape=[1, 4, 9, 8]), ["upsample"]),
    "upsample": (one("Upsample", np.array([1, 1, 3, 3], "f"), mode="nearest", opset=9), ["upsample"]),
    "pad": (one("Pad", ints(0, 0, 1, 2, 0, 0, 3, 0)), ["zero_pad2d"]),
    "pad of old": (one("Pad", pads=[0, 0, 1, 1, 0, 0, 1, 1], opset=9), ["zero_pad2d"]),
    "depth to space": (one("DepthToSpace", blocksize=2), ["reshape", "permute", "reshape"]),
    "space to depth": (one("SpaceToDepth", blocksize=2, shape=["n", 2, 4, 6]), ["reshape", "permute", "reshape"]),
    "clip": (one("Clip", np.float32(-0.5), np.float32(0.7)), ["hard_tanh"]),
    "clip to 6": (one("Clip", min=0.0, max=6.0, opset=9), ["relu6"]),
    "leaky": (one("LeakyRelu", alpha=0.2), ["leaky_relu"]),
    "prelu": (one("PRelu", drawn(4, 1, 1)), ["prelu"]),
    "hard sigmoid": (one("HardSigmoid"), ["scale", "shift", "hard_tanh"]),
    "softmax inside": (model_of([node("Softmax", ["x"], ["a"], axis=1), node("Relu", ["a"], ["y"])], {"x": ROWS}, {}),
                       ["softmax", "relu"]),
    "old softmax": (model_of([node("Softmax", ["x"], ["a"]), node("Relu", ["a"], ["y"])], {"x": ["n", 6]}, {},
                             opset=11), ["softmax", "relu"]),
    "shift": (one("Add", drawn(4, 1, 1)), ["learned_shift"]),
    "scale": (one("Mul", drawn(1, 4, 1, 1)), ["learned_scale"]),
    "number": (model_of([node("Sub", ["c", "x"], ["a"]), node("Div", ["a", "d"], ["y"])], {"x": ROWS},
                        {"c": np.float32(2), "d": np.float32(4)}), ["scale", "shift", "scale"]),
    "power": (one("Pow", np.float32(2)), ["elementwise"]),
    "dropout": (model_of([node("Dropout", ["x"], ["a"]), node("Relu", ["a"], ["y"])], {"x": ROWS}, {}),
                ["dropout", "relu"]),
    "einsum": (one("Einsum", shape=ROWS, equation="nij->nji"), ["einsum"]),
    "strides that are none": (model_of([
        node("Shape", ["x"], ["s"]), node("ReduceProd", ["s"], ["n"], keepdims=0), node("Range", ["zero", "n", "one"],
        ["all"]), node("Reshape", ["all", "to"], ["places"]), node("Reshape", ["x", "flat"], ["f"]),
        node("Gather", ["f", "places"], ["y"])], {"x": ROWS},
        {"zero": np.array(0), "one": np.array(1), "to": ints(-1, 3, 10), "flat": ints(-1)}), ["flatten", "reshape"]),
    "constant folded": (model_of([
        node("Shape", ["x"], ["s"]), node("Gather", ["s", "zero"], ["b"]), node("Unsqueeze", ["b", "axis"], ["b1"]),
        node("Concat", ["b1", "rest"], ["t"], axis=0), node("Reshape", ["x", "t"], ["y"])], {"x": ROWS},
        {"zero": np.array(0), "axis": ints(0), "rest": ints(3, 10)}), ["reshape"]),
}  # fmt: skip
for _kind, _type in {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Elu": "elu", "Selu": "selu",
                     "Softplus": "softplus", "Softsign": "softsign", "Exp": "elementwise", "Abs": "elementwise",
                     "HardSwish": "hard_swish", "Celu": "celu", "Neg": "scale"}.items():  # fmt: skip
    MODELS[_kind] = (model_of([node(_kind, ["x"], ["a"]), node("Identity", ["a"], ["b"]),
                               node("Sin", ["b"], ["y"])], {"x": ROWS}, {}), [_type, "elementwise"])  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_an_operator_becomes_layers_that_answer_alike(tmp_path: Path, name: str) -> None:
    model, expected = MODELS[name]
    found = brought(written(tmp_path / "net.onnx", model))
    assert types(found) == expected


def _recurrent(kind: str, direction: str, last: bool) -> Any:
    gates, count = 4 if kind == "LSTM" else 3, 2 if direction == "bidirectional" else 1
    weights = {"w": drawn(count, gates * 7, 6), "r": drawn(count, gates * 7, 7, seed=1),
               "b": drawn(count, 2 * gates * 7, seed=2)}  # fmt: skip
    settings = {"linear_before_reset": 1} if kind == "GRU" else {}
    nodes = [node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
             node(kind, ["t", "w", "r", "b"], ["all", "last"], hidden_size=7, direction=direction,
                  **settings)]  # fmt: skip
    if last:
        nodes += [node("Transpose", ["last"], ["a"], perm=[1, 0, 2]), node("Flatten", ["a"], ["y"])]
    else:
        nodes += [node("Transpose", ["all"], ["a"], perm=[2, 0, 1, 3]), node("Reshape", ["a", "s"], ["y"])]
    return model_of(nodes, {"x": ROWS}, {**weights, "s": np.array([0, 0, -1])})


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
@pytest.mark.parametrize("last", [False, True])
def test_recurrent_layers_have_their_gates_in_torchs_order(
    tmp_path: Path, kind: str, direction: str, last: bool
) -> None:
    found = brought(written(tmp_path / "net.onnx", _recurrent(kind, direction, last)))
    assert types(found)[0] == kind.lower()
    if not last:
        assert types(found) == [kind.lower()]


def test_an_activation_written_out_is_one_layer(tmp_path: Path) -> None:
    weights = {"root": np.float32(math.sqrt(2)), "one": np.float32(1), "half": np.float32(0.5)}
    nodes = [
        node("Div", ["x", "root"], ["a"]), node("Erf", ["a"], ["b"]), node("Add", ["b", "one"], ["c"]),
        node("Mul", ["x", "c"], ["d"]), node("Mul", ["d", "half"], ["gelu"]),
        node("Sigmoid", ["gelu"], ["e"]), node("Mul", ["gelu", "e"], ["y"]),
    ]  # fmt: skip
    found = brought(written(tmp_path / "net.onnx", model_of(nodes, {"x": ROWS}, weights)))
    assert types(found) == ["gelu", "silu"]
    with pytest.raises(ProblemError, match="Erf"):
        bring_onnx(written(tmp_path / "bare.onnx", model_of([node("Erf", ["x"], ["y"])], {"x": ROWS}, {})))


def test_a_norm_written_out_is_one_layer_with_its_weights(tmp_path: Path) -> None:
    weights = {"two": np.float32(2), "eps": np.float32(1e-3), "w": drawn(6), "b": drawn(6, seed=1)}
    nodes = [
        node("ReduceMean", ["x"], ["m"], axes=[-1]), node("Sub", ["x", "m"], ["d"]), node("Pow", ["d", "two"], ["p"]),
        node("ReduceMean", ["p"], ["v"], axes=[-1]), node("Add", ["v", "eps"], ["e"]), node("Sqrt", ["e"], ["s"]),
        node("Div", ["d", "s"], ["n"]), node("Mul", ["n", "w"], ["f"]), node("Add", ["f", "b"], ["y"]),
    ]  # fmt: skip
    found = brought(written(tmp_path / "net.onnx", model_of(nodes, {"x": ROWS}, weights, opset=11)))
    assert types(found) == ["layer_norm"]
    assert found.analysis.parameters == 12


@pytest.mark.parametrize("causal", [False, True])
def test_attention_whose_heads_were_joined_with_the_batch_is_one_layer(tmp_path: Path, causal: bool) -> None:
    """As torch's MultiheadAttention writes it: steps first, samples × heads in one axis."""
    weights = {"w": drawn(8, 24), "heads": np.array([5, -1, 4]), "whole": np.array([5, -1, 8]),
               "scale": np.float32(0.5), "parts": np.array([8, 8, 8]),
               "mask": np.triu(np.full((5, 5), -np.inf, "f"), 1)}  # fmt: skip
    nodes = [node("Transpose", ["x"], ["t"], perm=[1, 0, 2]), node("MatMul", ["t", "w"], ["qkv"]),
             node("Split", ["qkv", "parts"], ["q", "k", "v"], axis=2)]  # fmt: skip
    for name in "qkv":
        nodes += [node("Reshape", [name, "heads"], [f"{name}1"]),
                  node("Transpose", [f"{name}1"], [f"{name}2"],
                       perm=[1, 2, 0] if name == "k" else [1, 0, 2])]  # fmt: skip
    nodes += [node("Mul", ["q2", "scale"], ["q3"]), node("MatMul", ["q3", "k2"], ["s"])]
    if causal:
        # Exporters that join heads and batch add masks to the joined scores.
        nodes += [node("Add", ["s", "mask"], ["masked"])]
    nodes += [node("Softmax", ["masked" if causal else "s"], ["p"], axis=-1), node("MatMul", ["p", "v2"], ["o"]),
              node("Transpose", ["o"], ["o1"], perm=[1, 0, 2]), node("Reshape", ["o1", "whole"], ["o2"]),
              node("Transpose", ["o2"], ["y"], perm=[1, 0, 2])]  # fmt: skip
    found = brought(written(tmp_path / "net.onnx", model_of(nodes, {"x": ["n", 5, 8]}, weights)))
    assert types(found).count("dot_product_attention") == 1
    assert not {"matmul", "softmax", "learned_shift"} & set(types(found))


def test_names_of_nodes_and_weights_become_groups_and_weights_keep_their_keys(tmp_path: Path) -> None:
    weights: dict[str, Any] = {"head.weight": drawn(3, 4), "head.bias": drawn(3)}
    nodes, last = [], "x"
    for place in range(2):
        home = f"/layers/layers.{place}"
        weights |= {f"layers.{place}.conv.weight": drawn(4, 4, 1, 1, seed=place), f"onnx::{place}": drawn(4)}
        nodes += [
            node("Conv", [last, f"layers.{place}.conv.weight", f"onnx::{place}"], [f"c{place}"], f"{home}/conv/Conv"),
            node("Relu", [f"c{place}"], [f"r{place}"], f"{home}/act/Relu"),
            node("Add", [f"r{place}", last], [f"a{place}"], f"{home}/Add"),
        ]  # fmt: skip
        last = f"a{place}"
    nodes += [node("GlobalAveragePool", [last], ["p"], "/pool/GlobalAveragePool"), node("Flatten", ["p"], ["f"], "/F"),
              node("Gemm", ["f", "head.weight", "head.bias"], ["y"], "/head/Gemm", transB=1)]  # fmt: skip
    found = brought(written(tmp_path / "net.onnx", model_of(nodes, {"x": IMAGE}, weights, producer="pytorch")))
    (group,) = [item for item in found.project.graph.nodes.values() if item.type == "group"]
    assert (group.name, group.repeat) == ("layers", 2)
    inner = found.project.graph.definitions[group.definition]
    assert {"conv", "act", "add"} <= {item.name for item in inner.nodes.values()}
    assert found.project.weights is not None
    keys = [key for facts in found.analysis.nodes.values() for key in facts.paths]
    assert {"layers.0.conv", "layers.1.conv", "head"} <= set(keys)


def test_other_kinds_of_floats_a_fixed_batch_and_fixed_tensors_are_told(tmp_path: Path) -> None:
    nodes = [node("Gemm", ["x", "w"], ["a"]), node("Add", ["a", "fixed::shift"], ["y"])]
    weights = {"w": drawn(6, 3).astype(np.float64), "fixed::shift": drawn(1, 3).astype(np.float64)}
    model = model_of(nodes, {"x": [2, 6]}, weights, dtype="float64")
    found = brought(written(tmp_path / "net.onnx", model))
    assert [item.code for item in found.problems] == ["onnx-narrowed", "onnx-batch"]
    assert found.difference is not None
    assert found.difference.batches == (2,)


def test_a_last_softmax_moves_into_the_output(tmp_path: Path) -> None:
    nodes = [node("Gemm", ["x", "w"], ["a"]), node("Softmax", ["a"], ["y"])]
    found = brought(written(tmp_path / "net.onnx", model_of(nodes, {"x": ["n", 6]}, {"w": drawn(6, 3)})))
    assert types(found) == ["linear"]
    (output,) = found.project.graph.of_type("output")
    assert output.params["activation"] == "softmax"
    assert [item.code for item in found.problems] == ["onnx-activation"]


def test_a_network_with_channels_last_as_keras_writes_it(tmp_path: Path) -> None:
    """Transposes around every layer cancel, borders are uneven, and names begin with words that say nothing."""
    home = "StatefulPartitionedCall/model"
    weights = {"k1": drawn(8, 3, 3, 3), "b1": drawn(8), "k2": drawn(4, 8, 3, 3), "dense": drawn(100, 6) / 10,
               "bias": drawn(6), "shape": np.array([-1, 100])}  # fmt: skip
    there, back = [0, 3, 1, 2], [0, 2, 3, 1]
    nodes = [
        node("Transpose", ["x"], ["t0"], f"{home}/first/Conv2D__6", perm=there),
        node("Conv", ["t0", "k1", "b1"], ["c"], f"{home}/first/Conv2D", auto_pad="SAME_UPPER", strides=[2, 2]),
        node("Relu", ["c"], ["r"], f"{home}/first/Relu"),
        node("Transpose", ["r"], ["t1"], f"{home}/first/Relu__9", perm=back),
        node("Transpose", ["t1"], ["t2"], f"{home}/second/Conv2D__10", perm=there),
        node("Conv", ["t2", "k2"], ["c2"], f"{home}/second/Conv2D", auto_pad="SAME_UPPER"),
        node("MaxPool", ["c2"], ["p"], f"{home}/pool/MaxPool", kernel_shape=[2, 2], strides=[2, 2],
             auto_pad="SAME_UPPER"),
        node("Transpose", ["p"], ["t3"], f"{home}/pool/MaxPool__20", perm=back),
        node("Reshape", ["t3", "shape"], ["f"], f"{home}/flatten/Reshape"),
        node("MatMul", ["f", "dense"], ["m"], f"{home}/answer/MatMul"),
        node("Add", ["m", "bias"], ["y"], f"{home}/answer/BiasAdd"),
    ]  # fmt: skip
    model = model_of(nodes, {"x": ["n", 19, 19, 3]}, weights, opset=13, producer="tf2onnx")
    found = brought(written(tmp_path / "net.onnx", model))
    assert types(found) == ["permute", "conv2d", "relu", "conv2d", "max_pool2d", "permute", "flatten", "linear"]
    names = [item.name for item in found.project.graph.nodes.values()]
    assert {"first", "second", "pool", "answer"} <= set(names)


def test_weights_used_twice_are_shared_in_one_block(tmp_path: Path) -> None:
    nodes = [node("MatMul", ["x", "tied.weight"], ["a"]), node("Relu", ["a"], ["b"]),
             node("MatMul", ["b", "tied.weight"], ["y"])]  # fmt: skip
    found = brought(written(tmp_path / "net.onnx", model_of(nodes, {"x": ROWS}, {"tied.weight": drawn(6, 6)})))
    assert found.analysis.parameters == 36
    assert sum(1 for item in found.project.graph.nodes.values() if item.shares) == 1


def test_a_token_stretched_over_the_batch_is_learned_and_numbers_stored_once_are_not_shared(tmp_path: Path) -> None:
    weights = {"token": drawn(1, 1, 6), "zero": np.array(0), "axis": np.array([0]), "rest": np.array([-1, -1]),
               "norm.weight": drawn(6), "norm.bias": drawn(6)}  # fmt: skip
    norm = ["norm.weight", "norm.bias"]
    nodes = [
        node("Shape", ["x"], ["s"]), node("Gather", ["s", "zero"], ["b"]), node("Unsqueeze", ["b", "axis"], ["b1"]),
        node("Concat", ["b1", "rest"], ["size"], axis=0), node("Max", ["size", "axis1"], ["t"]),
        node("Expand", ["token", "t"], ["many"]), node("Concat", ["many", "x"], ["all"], axis=1),
        node("LayerNormalization", ["all", *norm], ["c"], "/one/norm/LN"),
        node("LayerNormalization", ["c", *norm], ["y"], "/two/norm/LN"),
    ]  # fmt: skip
    weights["axis1"] = np.array([1, 1, 1])
    found = brought(written(tmp_path / "net.onnx", model_of(nodes, {"x": ROWS}, weights, producer="pytorch")))
    assert types(found)[:2] == ["learned_tensor", "concatenate"]
    assert found.analysis.parameters == 6 + 2 * 12
    assert not found.problems


def test_several_inputs_and_outputs_keep_their_names(tmp_path: Path) -> None:
    nodes = [node("Add", ["left", "right"], ["total"]), node("Mul", ["left", "right"], ["product"])]
    model = model_of(nodes, {"left": ROWS, "right": ROWS}, {}, outputs=("total", "product"))
    found = bring_onnx(written(tmp_path / "net.onnx", model))
    assert [item.name for item in found.project.graph.of_type("input")] == ["left", "right"]
    assert [item.name for item in found.project.graph.of_type("output")] == ["total", "product"]
    assert found.difference is not None
    assert found.difference.relative < 1e-6


def test_sizes_that_the_file_leaves_open_must_be_stated(tmp_path: Path) -> None:
    path = written(tmp_path / "net.onnx", model_of([node("Relu", ["x"], ["y"])], {"x": ["n", 3, "h", "w"]}, {}))
    with pytest.raises(ProblemError, match="open: 3×\\?×\\?"):
        bring_onnx(path)
    assert brought(path, size=8).analysis.nodes


def test_each_unknown_operator_is_one_problem_with_its_count_and_names(tmp_path: Path) -> None:
    nodes = [node("NonZero", ["x"], ["a"], "find"), node("Det", ["x"], ["b"], "one"), node("Det", ["x"], ["c"], "two"),
             node("Conv", ["x", "w"], ["y"], "c"),
             node("Fancy", ["x"], ["d"], "mine", domain="my.company")]  # fmt: skip
    path = written(tmp_path / "net.onnx", model_of(nodes, {"x": IMAGE}, {"w": drawn(2, 4, 1, 1)}))
    with pytest.raises(ProblemError) as caught:
        bring_onnx(path)
    said = [item.happened for item in caught.value.problems]
    assert len(said) == 3
    assert said[0].startswith("The operator NonZero cannot become a layer (1 node: find)")
    assert said[1].startswith("The operator Det cannot become a layer (2 nodes: one, two)")
    assert "my.company.Fancy" in said[2]


def test_settings_without_a_layer_say_why(tmp_path: Path) -> None:
    cases = {
        "Pad": one("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1]), mode="reflect"),
        "Resize": one("Resize", None, np.array([1, 1, 1.5, 1.5], "f")),
        "GRU": model_of([node("GRU", ["x", "w", "r"], ["y"], hidden_size=2)], {"x": ["n", 5, 6]},
                        {"w": drawn(1, 6, 6), "r": drawn(1, 6, 2)}),
        "Gemm": one("Gemm", drawn(6, 3), shape=["n", 6], transA=1),
        "MaxPool": one("MaxPool", kernel_shape=[3, 3], pads=[1, 0, 0, 0]),
        "ConstantOfShape": model_of([node("ConstantOfShape", ["s"], ["a"]), node("Add", ["x", "a"], ["y"])],
                                    {"x": ROWS}, {"s": np.array([10**6, 10**6])}),
        "Expand": model_of([node("Expand", ["c", "s"], ["a"]), node("Add", ["x", "a"], ["y"])],
                           {"x": ROWS}, {"c": drawn(1), "s": np.array([2**40, 2**40])}),
    }  # fmt: skip
    for kind, model in cases.items():
        with pytest.raises(ProblemError) as caught:
            bring_onnx(written(tmp_path / "net.onnx", model))
        assert f"operator {kind} cannot" in caught.value.problem.happened, kind
        assert ": " in caught.value.problem.happened.partition(")")[2], kind
