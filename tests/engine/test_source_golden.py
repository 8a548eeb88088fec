"""The generated text, word for word, for the graphs that people draw first."""

from __future__ import annotations

from tests.engine.drawn import body_of, box, deep, draw, facts, group, linear_block


def test_twenty_equal_blocks_become_one_class_and_a_loop() -> None:
    assert (
        body_of(deep(), facts(x=(784,)), "deep mlp")
        == '''\
class Block(nn.Module):
    """784 → 100; 100 → 100."""

    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, 100)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        linear = self.linear(x)
        relu = self.relu(linear)
        return relu


class DeepMlp(nn.Module):
    """784 → 10."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(Block(784), *(Block(100) for _ in range(19)))
        self.head = nn.Linear(100, 10)

    def forward(self, x0: Tensor) -> Tensor:
        blocks = self.blocks(x0)
        head = self.head(blocks)
        return head'''
    )


def test_a_residual_stage_reads_like_a_textbook() -> None:
    residual = draw(
        box("x", "group_input"),
        box("conv1", "conv2d", "x", filters=16, padding="same", bias=False),
        box("norm1", "batch_norm2d", "conv1"),
        box("relu", "relu", "norm1"),
        box("conv2", "conv2d", "relu", filters=16, padding="same"),
        box("sum", "add", "x", "conv2"),
        box("y", "group_output", "sum"),
        title="residual",
    )
    graph = draw(
        box("image", "input"),
        box("stem", "conv2d", "image", filters=16, padding="same"),
        group("stage", "r", "stem", repeat=3),
        box("pool", "global_avg_pool", "stage"),
        box("head", "linear", "pool", units=10),
        box("scores", "output", "head"),
        inside={"r": residual},
        initializer={"type": "he_normal"},
    )
    assert (
        body_of(graph, facts(x=(3, 32, 32)), "res net")
        == '''\
class Residual(nn.Module):
    """16×32×32 → 16×32×32."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(16, 16, 3, padding="same", bias=False)
        nn.init.kaiming_normal_(self.conv1.weight, nonlinearity="relu")
        self.norm1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(16, 16, 3, padding="same")
        nn.init.kaiming_normal_(self.conv2.weight, nonlinearity="relu")
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x: Tensor) -> Tensor:
        conv1 = self.conv1(x)
        norm1 = self.norm1(conv1)
        relu = self.relu(norm1)
        conv2 = self.conv2(relu)
        sum = x + conv2
        return sum


class ResNet(nn.Module):
    """3×32×32 → 10."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding="same")
        nn.init.kaiming_normal_(self.stem.weight, nonlinearity="relu")
        nn.init.zeros_(self.stem.bias)
        self.stage = nn.Sequential(*(Residual() for _ in range(3)))
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(16, 10)
        nn.init.kaiming_normal_(self.head.weight, nonlinearity="relu")
        nn.init.zeros_(self.head.bias)

    def forward(self, image: Tensor) -> Tensor:
        stem = self.stem(image)
        stage = self.stage(stem)
        pool = self.pool(stage)
        head = self.head(pool)
        return head'''
    )


def test_a_linked_block_of_two_widths_takes_its_widths_as_arguments() -> None:
    pair = draw(
        box("x", "group_input"), box("conv", "conv2d", "x", filters=8, padding="same"),
        box("norm", "batch_norm2d", "conv"), box("y", "group_output", "norm"), title="conv norm",
    )  # fmt: skip
    graph = draw(
        box("image", "input"),
        group("first", "p", "image"),
        group("second", "p", "first", vary={"conv.filters": (16,)}),
        box("flat", "flatten", "second"),
        box("head", "linear", "flat", units=2),
        box("scores", "output", "head"),
        inside={"p": pair},
    )
    assert (
        body_of(graph, facts(x=(3, 4, 4)))
        == '''\
class ConvNorm(nn.Module):
    """3×4×4 → 8×4×4; 8×4×4 → 16×4×4."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding="same")
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        conv = self.conv(x)
        norm = self.norm(conv)
        return norm


class Net(nn.Module):
    """3×4×4 → 2."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ConvNorm(3, 8)
        self.second = ConvNorm(8, 16)
        self.flat = nn.Flatten()
        self.head = nn.Linear(256, 2)

    def forward(self, image: Tensor) -> Tensor:
        first = self.first(image)
        second = self.second(first)
        flat = self.flat(second)
        head = self.head(flat)
        return head'''
    )


def test_children_called_by_numbers_become_a_sequential() -> None:
    numbered = draw(
        box("x", "group_input"), box("0", "linear", "x", units=8), box("1", "relu", "0"),
        box("y", "group_output", "1"), title="numbered",
    )  # fmt: skip
    graph = draw(
        box("x0", "input"), group("features", "n", "x0", repeat=4), box("head", "linear", "features", units=2),
        box("out", "output", "head"), inside={"n": numbered}, initializer={"type": "glorot_uniform"},
    )  # fmt: skip
    assert (
        body_of(graph, facts(x=(5,)))
        == '''\
class Net(nn.Module):
    """5 → 2."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Sequential(nn.Linear(5, 8), nn.ReLU()),
            *(nn.Sequential(nn.Linear(8, 8), nn.ReLU()) for _ in range(3)),
        )
        for block in self.features:
            nn.init.xavier_uniform_(block[0].weight)
            nn.init.zeros_(block[0].bias)
        self.head = nn.Linear(8, 2)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x0: Tensor) -> Tensor:
        features = self.features(x0)
        head = self.head(features)
        return head'''
    )


def test_repeats_inside_repeats_stay_two_classes() -> None:
    stage = draw(
        box("x", "group_input"), group("inner", "d", "x", repeat=4), box("drop", "dropout", "inner"),
        box("y", "group_output", "drop"), title="stage", inside={"d": linear_block(32)},
    )  # fmt: skip
    graph = draw(
        box("x0", "input"), group("stages", "s", "x0", repeat=3), box("out", "output", "stages"),
        inside={"s": stage, "d": linear_block(32)},
    )  # fmt: skip
    text = body_of(graph, facts(x=(7,)))
    assert "self.inner = nn.Sequential(Block(in_features), *(Block(32) for _ in range(3)))" in text
    assert "self.stages = nn.Sequential(Stage(7), Stage(32), Stage(32))" in text
    assert text.count("class ") == 3


def test_a_repeated_block_with_two_ports_is_a_list_and_a_loop() -> None:
    cross = draw(
        box("a", "group_input"), box("b", "group_input"), box("left", "linear", "b", units=4),
        box("right", "linear", "a", units=4), box("p", "group_output", "left"), box("q", "group_output", "right"),
        title="cross",
    )  # fmt: skip
    graph = draw(
        box("x0", "input"), group("crossed", "c", "x0", "x0", repeat=3),
        box("both", "concatenate", "crossed.p", "crossed.q"), box("out", "output", "both"), inside={"c": cross},
    )  # fmt: skip
    text = body_of(graph, facts(x=(6,)))
    assert "self.crossed = nn.ModuleList([Cross(6), Cross(4), Cross(4)])" in text
    assert (
        """\
        crossed_p, crossed_q = x0, x0
        for block in self.crossed:
            crossed_p, crossed_q = block(crossed_p, crossed_q)
        both = torch.cat((crossed_p, crossed_q), dim=1)
"""
        in text
    )
