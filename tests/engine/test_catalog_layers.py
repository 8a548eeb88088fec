"""Every layer's recorded source, evaluated: shapes on meta equal real ones, gradients flow, code reads well."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn

from engine.concise import DEFAULTS
from engine.declare import Declaration, find
from engine.expr import name
from engine.runtime.meta import namespace
from engine.tensor import INT, TensorInfo
from tests.engine.catalogue import call, inputs_of, layers, module_of, named, settings_of, tensor_of

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")


def built(type_name: str, shape: tuple[int, ...], settings: dict[str, Any] | None = None) -> str:
    declaration = find("layer", type_name)
    assert declaration is not None
    return str(declaration.make(settings).build(TensorInfo(shape)).text)


@pytest.mark.parametrize("declaration", **named([item for item in layers() if item.type != "input"]))
def test_the_shape_on_meta_is_the_real_shape_for_every_setting(declaration: Declaration) -> None:
    tried = 0
    for settings in settings_of(declaration):
        made = declaration.make(settings)
        for infos in inputs_of(declaration, made):
            with torch.device("meta"):
                planned = call(made, module_of(made, infos), [tensor_of(info, "meta") for info in infos])
            real = call(made, module_of(made, infos), [tensor_of(info) for info in infos])
            assert planned.shape == real.shape
            assert planned.dtype == real.dtype
            assert real.shape[0] == tensor_of(infos[0]).shape[0]
            tried += 1
    assert tried >= 1


@pytest.mark.parametrize("declaration", **named([item for item in layers() if item.type != "input"]))
def test_one_training_step_is_finite_and_changes_what_can_learn(declaration: Declaration) -> None:
    torch.manual_seed(0)
    made = declaration.make()
    for infos in inputs_of(declaration, made):
        module = module_of(made, infos)
        tensors = [tensor_of(info) for info in infos]
        out = call(made, module, tensors)
        if not out.is_floating_point():
            continue
        # A weighted sum, because the plain sum of a softmax or a norm does not depend on its input.
        (out * torch.randn(out.shape)).sum().backward()
        assert torch.isfinite(out).all()
        learned = [module] if isinstance(module, nn.Parameter) else list(module.parameters()) if module else []
        # A learned tensor only counts the samples that arrive.
        given = [tensor for tensor in tensors if tensor.is_floating_point() and declaration.type != "learned_tensor"]
        for part in (*learned, *given):
            assert part.grad is not None
            assert torch.isfinite(part.grad).all()
        before = [part.detach().clone() for part in learned]
        if learned:
            torch.optim.SGD(learned, lr=0.1).step()
            assert any(not torch.equal(old, new) for old, new in zip(before, learned, strict=True))


@pytest.mark.parametrize("declaration", **named([item for item in layers() if item.weights]))
def test_the_weights_an_initializer_fills_exist_beside_a_bias(declaration: Declaration) -> None:
    made = declaration.make()
    module = module_of(made, inputs_of(declaration, made)[0])
    assert module is not None
    for weight in declaration.weights:
        assert getattr(module, weight).dim() >= 2
    assert module.bias is not None
    assert declaration.make({"bias": False}).bias is False


@pytest.mark.parametrize("callee", DEFAULTS)
def test_the_defaults_left_out_are_torch_s_own(callee: str) -> None:
    cls = eval(callee, namespace(frozenset({callee} if callee.isidentifier() else ())))
    owner = nn.RNNBase if cls in (nn.LSTM, nn.GRU) else cls
    declared = inspect.signature(owner).parameters
    for key, value in DEFAULTS[callee].items():
        default = declared[key].default
        assert default == value or (key == "activation" and default is getattr(torch.nn.functional, value)), key
        assert default == value or key == "activation", key


def test_code_reads_as_people_write_it() -> None:
    assert built("linear", (784,)) == "nn.Linear(784, 100)"
    assert built("linear", (784,), {"units": 10, "bias": False}) == "nn.Linear(784, 10, bias=False)"
    assert built("conv2d", (3, 8, 8), {"padding": "same"}) == 'nn.Conv2d(3, 32, 3, padding="same")'
    assert built("conv2d", (3, 8, 8), {"stride": (1, 2)}) == "nn.Conv2d(3, 32, 3, stride=(1, 2))"
    assert built("depthwise_conv2d", (4, 8, 8), {"multiplier": 2}) == "nn.Conv2d(4, 8, 3, groups=4)"
    assert built("max_pool2d", (4, 8, 8), {"stride": 2}) == "nn.MaxPool2d(2)"
    assert built("batch_norm2d", (32, 8, 8)) == "nn.BatchNorm2d(32)"
    assert built("layer_norm", (6, 8), {"axes": 2}) == "nn.LayerNorm((6, 8))"
    assert built("relu", (6,)) == "nn.ReLU()"
    assert built("softmax", (4, 8), {"axis": 0}) == "nn.Softmax(dim=1)"
    assert built("lstm", (5, 8), {"units": 16}) == "nn.LSTM(8, 16, batch_first=True)"
    a, b, x = name("a"), name("b"), name("x")
    assert recorded("concatenate", a, b) == "torch.cat((a, b), dim=1)"
    assert recorded("add", a, b) == "a + b"
    assert recorded("average", a, b) == "(a + b) / 2"
    assert recorded("mean", x, settings={"axes": (1, 2), "keep": True}) == "x.mean(dim=(2, 3), keepdim=True)"
    assert recorded("reshape", x, settings={"target": (1, 8, 8)}) == "x.reshape(x.shape[0], 1, 8, 8)"
    assert recorded("permute", x) == "x.permute(0, 2, 1)"


def recorded(type_name: str, *names: Any, settings: dict[str, Any] | None = None) -> str:
    declaration = find("layer", type_name)
    assert declaration is not None
    return str(declaration.make(settings).forward(*names).text)


@pytest.mark.parametrize("type_name", ["lstm", "gru"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_reading_both_ways_ends_where_each_way_ends(type_name: str, num_layers: int) -> None:
    declaration = find("layer", type_name)
    assert declaration is not None
    infos = [TensorInfo((6, 8))]
    module = module_of(declaration.make({"units": 5, "layers": num_layers, "bidirectional": True}), infos)
    x = tensor_of(infos[0])
    assert module is not None
    steps = module(x)[0]
    made = declaration.make({"units": 5, "layers": num_layers, "bidirectional": True})
    last = call(made, module, [x])
    assert torch.equal(last[:, :5], steps[:, -1, :5])
    assert torch.equal(last[:, 5:], steps[:, 0, 5:])


def test_merges_compute_what_they_are_called() -> None:
    a, b = torch.randn(3, 4), torch.randn(3, 4)
    for type_name, wanted in {"add": a + b, "multiply": a * b, "average": (a + b) / 2}.items():
        declaration = find("layer", type_name)
        assert declaration is not None
        assert torch.equal(call(declaration.make(), None, [a, b]), wanted)


def test_an_input_takes_the_shape_of_the_data_unless_it_states_one() -> None:
    declaration = find("layer", "input")
    assert declaration is not None
    image, row, ids = TensorInfo((1, 8, 8)), TensorInfo((64,)), TensorInfo((6,), INT)
    assert declaration.make().info(image) == image
    assert declaration.make().info(None) is None
    assert declaration.make({"kind": "tokens", "shape": (6,)}).info(None) == ids
    assert declaration.make().mismatch(image) is None
    assert declaration.make({"kind": "tokens"}).mismatch(ids) is None
    for made, given, mend in (
        ({}, row, {"kind": "vector"}),
        ({"kind": "vector"}, ids, {"kind": "tokens"}),
        ({"kind": "sequence"}, image, {"kind": "image"}),
        ({"shape": (3, 8, 8)}, image, {"shape": ()}),
    ):
        refusal = declaration.make(made).mismatch(given)
        assert refusal is not None
        assert refusal.mend == mend
        assert declaration.make({**made, **mend}).mismatch(given) is None


def test_the_catalogue_leaves_torch_and_scikit_learn_unloaded() -> None:
    code = (
        "import sys; from engine.declare import catalogue; catalogue();"
        "import engine.plan; print(sorted({'torch', 'torchvision', 'sklearn', 'PySide6'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
