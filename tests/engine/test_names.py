"""Names: what is refused and how free ones are found."""

from __future__ import annotations

import pytest

from engine.graph import Graph, Node
from engine.names import fresh_name, name_fault, new_id


def test_every_attribute_of_the_installed_torch_module_is_refused() -> None:
    from torch import nn

    allowed = [name for name in {*dir(nn.Module), *vars(nn.Module())} if not name_fault(name)]
    assert allowed == []


@pytest.mark.parametrize("name", ["conv1", "0", "17", "größe", "input", "Block", "F1", "match", "block1-0", "a-1-2"])
def test_names_that_python_and_torch_can_bear_are_allowed(name: str) -> None:
    assert name_fault(name) == ""


@pytest.mark.parametrize(
    "name", ["", "1conv", "a b", "for", "x", "F", "_a", "007", "a.b", "a-b", "a-", "a" * 65, "ﬁt", "١"]
)
def test_other_names_are_refused_with_a_sentence(name: str) -> None:
    assert name_fault(name).endswith(".")


def test_x_is_allowed_for_the_input_port_of_a_group_only() -> None:
    assert name_fault("x", port=True) == ""
    assert name_fault("F", port=True) != ""


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("conv", "conv3"), ("conv2", "conv3"), ("Conv block!", "conv_block"), ("", "layer"), ("train", "train2"),
     ("3", "3"), ("9 lives", "layer_9_lives"), ("x", "x2"), ("0", "layer2"), ("()", "layer")],
)  # fmt: skip
def test_a_fresh_name_is_near_the_wish_and_free(wanted: str, found: str) -> None:
    taken = ["conv", "conv2", "0"]
    level = Graph(nodes={name: Node(name, name, "linear") for name in taken})
    assert fresh_name(level, wanted) == found
    assert name_fault(found) == ""


def test_a_very_long_wish_still_gives_an_allowed_name() -> None:
    level = Graph(nodes={"a": Node("a", "a" * 64, "linear")})
    assert name_fault(fresh_name(level, "a" * 64)) == ""
    assert name_fault(fresh_name(level, "b" * 900)) == ""


def test_ids_differ() -> None:
    assert len({new_id() for _ in range(1_000)}) == 1_000
