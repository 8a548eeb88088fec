"""Modules become graphs and come back bit for bit: torchvision's, made small, and networks that are nobody's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks import zoo
from engine.graph import GROUP, MAX_LAYERS, Graph
from engine.instances import instances
from engine.problem import ProblemError
from engine.runtime.analyze import analyze
from engine.runtime.importing import import_module
from engine.runtime.importing.prove import prove
from tests.engine.imported import IMAGE, assert_same, project_of, rebuilt, stirred

torchvision = pytest.importorskip("torchvision")
models = torchvision.models


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # two threads sum in another order
    yield
    torch.set_num_threads(before)


ZOO: dict[str, Callable[[], nn.Module]] = {
    "resnet18": lambda: models.resnet18(num_classes=10),
    "mobilenet_v3_small": lambda: models.mobilenet_v3_small(num_classes=10),
    "densenet": lambda: models.DenseNet(8, (2, 3), 8, num_classes=5),
    "shufflenet": lambda: models.ShuffleNetV2([2, 2, 2], [8, 16, 24, 32, 40], num_classes=5),
    "vit": lambda: models.VisionTransformer(32, 8, 2, 2, 16, 32, dropout=0.1, num_classes=5),
    "swin": lambda: models.SwinTransformer([4, 4], 16, [2, 2], [2, 4], [3, 3], num_classes=5,
                                           stochastic_depth_prob=0.2),
    "convnext": lambda: models.ConvNeXt(
        [models.convnext.CNBlockConfig(8, 16, 3), models.convnext.CNBlockConfig(16, None, 1)], 0.3, num_classes=5),
    "regnet": lambda: models.RegNet(
        models.regnet.BlockParams.from_init_params(4, 8, 8.0, 2.5, 4, se_ratio=0.25), num_classes=5),
}  # fmt: skip


@pytest.mark.parametrize("name", ZOO)
def test_a_network_of_torchvision_comes_back_bit_for_bit(name: str) -> None:
    torch.manual_seed(0)
    original = stirred(ZOO[name]())
    samples = {"x": IMAGE}
    found, built = rebuilt(original, samples)
    assert not found.moved
    assert not found.problems
    assert set(built.model.state_dict()) == set(original.state_dict())
    assert_same(original, built.model, samples, found)


class Double(nn.Sequential):
    """Twice convolution, norm, activation."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(
            nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(inplace=True),
            nn.Conv2d(after, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(inplace=True),
        )  # fmt: skip


class UNet(nn.Module):
    """Its shelves (`downs`, `ups`) cannot be groups: data leaves them and comes back."""

    def __init__(self) -> None:
        super().__init__()
        self.downs = nn.ModuleList([Double(3, 4), Double(4, 8)])
        self.bottom = Double(8, 16)
        self.ups = nn.ModuleList([nn.ConvTranspose2d(16, 8, 2, 2), nn.ConvTranspose2d(8, 4, 2, 2)])
        self.joins = nn.ModuleList([Double(16, 8), Double(8, 4)])
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        kept = []
        for down in self.downs:
            image = down(image)
            kept.append(image)
            image = F.max_pool2d(image, 2)
        image = self.bottom(image)
        for up, join, skip in zip(self.ups, self.joins, reversed(kept), strict=True):
            image = join(torch.cat([skip, up(image)], dim=1))
        found: Tensor = self.head(image)
        return found


class Unit(nn.Module):
    """A residual unit with functions in place of modules."""

    def __init__(self, width: int, step: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width // step, width, 3, step, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.way = nn.Conv2d(width // step, width, 1, step) if step > 1 else nn.Identity()
        self.gamma = nn.Parameter(torch.full((width, 1, 1), 0.5))

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(F.relu(self.norm(self.first(x))))
        y *= self.gamma
        y += self.way(x)
        return F.dropout(F.leaky_relu(y, 0.1), 0.2, self.training)


class MyResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding="same")
        self.stages = nn.ModuleList([nn.Sequential(Unit(8, 1), Unit(8, 1)), nn.Sequential(Unit(16, 2), Unit(16, 1))])
        self.classify = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x) / 2.0 - 0.1
        for stage in self.stages:
            x = stage(x)
        return self.classify(x.mean(dim=(-2, -1)).view(x.size(0), -1))


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, steps, width = x.shape
        qkv = self.qkv(x).reshape(batch, steps, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        shares = ((q * (width // self.heads) ** -0.5) @ k.transpose(-2, -1)).softmax(dim=-1)
        return self.out((shares @ v).transpose(1, 2).reshape(batch, steps, width))


class Layer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = Attention(width, 2)
        self.mlp = nn.Sequential(nn.Linear(width, 32), nn.GELU(), nn.Dropout(0.1), nn.Linear(32, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Reader(nn.Module):
    """A small transformer for tokens, with its own attention, class token and positions."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, 16)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 16))
        self.positions = nn.Parameter(torch.zeros(1, 9, 16))
        self.layers = nn.ModuleList(Layer(16) for _ in range(3))
        self.head = nn.Linear(16, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)
        x = torch.cat([self.cls_token.expand(tokens.shape[0], -1, -1), x], dim=1)
        x = x + self.positions[:, : x.size(1)]
        for layer in self.layers:
            x = layer(x)
        found: Tensor = self.head(x[:, 0])
        return found


OWN: dict[str, tuple[Callable[[], nn.Module], dict[str, Any]]] = {
    "unet": (UNet, {"image": IMAGE}),
    "resnet": (MyResNet, {"x": IMAGE}),
    "transformer": (Reader, {"tokens": ((8,), torch.int64)}),
}


@pytest.mark.parametrize("name", OWN)
def test_a_network_of_ones_own_comes_back_bit_for_bit(name: str) -> None:
    torch.manual_seed(0)
    make, samples = OWN[name]
    original = stirred(make())
    found, built = rebuilt(original, samples)
    assert_same(original, built.model, samples, found)
    assert bool(found.moved) == (name == "unet")


def names(graph: Graph) -> list[str]:
    return [node.name for node in graph.nodes.values()]


def test_groups_are_called_by_module_path_and_equal_siblings_are_a_repeat() -> None:
    graph = import_module(models.resnet18(), {"x": IMAGE}).graph
    assert names(graph) == ["image", "conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4",
                            "avgpool", "flatten", "fc", "output"]  # fmt: skip
    layer1, layer2 = graph.by_name("layer1"), graph.by_name("layer2")
    assert layer1 is not None
    assert layer2 is not None
    assert (layer1.repeat, layer1.type, graph.definitions[layer1.definition].title) == (2, GROUP, "BasicBlock")
    assert (layer2.repeat, names(graph.definitions[layer2.definition])) == (1, ["x", "0", "1", "out"])
    paths = {item.path for item in instances(graph)}
    assert {"layer1.1.conv2", "layer4.0.downsample.0"} <= paths
    assert len(paths) < MAX_LAYERS


def test_siblings_that_differ_in_one_number_are_a_repeat_whose_number_varies() -> None:
    graph = import_module(ZOO["convnext"](), {"x": IMAGE}).graph
    features = graph.by_name("features")
    assert features is not None
    blocks = graph.definitions[features.definition].by_name("1")
    assert blocks is not None
    assert blocks.repeat == 3
    assert [round(value, 3) for value in blocks.vary["stochastic_depth.rate"]] == [0.0, 0.1, 0.2]


class Unknown(nn.Module):
    def __init__(self, part: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(4, 4))
        self.part = part

    def forward(self, x: Tensor) -> Tensor:
        return self.part(self.inner(x))


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (torch.fft.rfft, "`fft_rfft` in Unknown cannot become a layer"),
        (lambda x: x.sum(0, keepdim=True) + x, "it acts along the batch"),
        (lambda x: x if x.sum() > 0 else -x, "cannot be followed"),
        (lambda x: x.reshape(-1), "joins the batch with other numbers"),
        (nn.Threshold(0.1, 2.0), "Threshold (module) cannot become a layer"),
    ],
)
def test_what_cannot_become_a_layer_is_named(part: Callable[[Tensor], Tensor], words: str) -> None:
    with pytest.raises(ProblemError) as caught:
        import_module(Unknown(part), {"x": ((4,), torch.float32)})
    assert words in str(caught.value.problem)


def test_an_input_of_the_wrong_size_is_told_with_the_layer_that_refuses_it() -> None:
    with pytest.raises(ProblemError, match=r"does not take samples of 4×32×32"):
        import_module(models.resnet18(), {"x": ((4, 32, 32), torch.float32)})


def test_weights_that_are_never_used_are_told() -> None:
    module = Unknown(torch.tanh)
    module.spare = nn.Linear(3, 3)
    (problem,) = import_module(module, {"x": ((4,), torch.float32)}).problems
    assert "spare" in problem.happened


def test_the_file_alone_predicts_the_same_where_there_is_only_torch() -> None:
    torch.manual_seed(0)
    with zoo.plain_process() as elsewhere:
        original = stirred(ZOO["swin"]()).eval()
        analysis = analyze(project_of(import_module(original, {"x": IMAGE}), {"x": IMAGE}))
        x = torch.randn(1, 3, 32, 32)
        assert torch.equal(elsewhere(analysis, original.state_dict(), x), zoo.first(original, x))


def test_a_changed_eps_or_activation_is_noticed() -> None:
    torch.manual_seed(0)
    original = stirred(ZOO["regnet"]()).eval()
    project = project_of(import_module(original, {"x": IMAGE}), {"x": IMAGE})
    x = torch.randn(1, 3, 32, 32)
    state, expected = original.state_dict(), zoo.first(original, x)
    assert torch.equal(zoo.first(zoo.filled(analyze(project), state), x), expected)
    assert zoo.controls(project, state, x, expected)


def test_settings_that_no_layer_has_are_found_by_comparison() -> None:
    original = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False))
    found = import_module(original, {"input": IMAGE})
    with pytest.raises(ProblemError, match=r"1\.running_mean|1: The graph would not be the same"):
        prove(original, found, analyze(project_of(found, {"input": IMAGE})))
