"""Settings by path, as the command line reaches them."""

from __future__ import annotations

import pytest

from engine import edits
from engine.graph import Graph
from engine.groups import group
from engine.problem import ProblemError
from engine.project import Project
from engine.settings import list_paths, set_value


def project() -> Project:
    graph, _ = edits.add_node(Graph(), "", "linear", name="dense")
    graph, inner = edits.add_node(graph, "", "linear", name="hidden")
    graph, _ = group(graph, "", [inner.id], title="blocks")
    return Project(graph=graph)


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("recipe.epochs", "3", 3),
        ("recipe.batch_size", "64", 64),
        ("recipe.device", "cpu", "cpu"),
        ("recipe.gradient_flow", "false", False),
        ("recipe.preprocess.resize", "[32, 24]", (32, 24)),
        ("recipe.preprocess.color", "grey", "grey"),
        ("recipe.early_stopping.patience", "4", 4),
        ("recipe.optimizer", "adam", "adam"),
        ("recipe.optimizer.lr", "0.025", 0.025),
        ("recipe.metrics", "accuracy, f1", ({"type": "accuracy"}, {"type": "f1"})),
        ("recipe.metrics", '["f1"]', ({"type": "f1"},)),
        ("nodes.dense.units", "12", 12),
        ("nodes.dense.bias", "false", False),
        ("nodes.dense.bias", "False", False),
        ("nodes.dense.bias", " TRUE ", True),
        ("recipe.preprocess.resize", "none", None),
        ("recipe.preprocess.resize", "None", None),
        ("recipe.preprocess.resize", "null", None),
        ("nodes.dense.initializer", "he_normal", "he_normal"),
        ("nodes.blocks.hidden.units", "13", 13),
        ("nodes.blocks.repeat", "20", 20),
        ("nodes.blocks.initializer", "he_normal", "he_normal"),
        ("defaults.initializer", "he_normal", "he_normal"),
    ],
)
def test_a_set_value_is_what_the_list_then_says(path: str, text: str, found: object) -> None:
    after = set_value(project(), path, text)
    values = {item.path: item.value for item in list_paths(after)}
    assert values[path] == found


def test_every_listed_path_can_be_set_to_its_own_value() -> None:
    import json

    start = project()
    paths = list_paths(start)
    assert len(paths) > 25
    for item in paths:
        if item.value is None:
            continue
        text = item.value if isinstance(item.value, str) else json.dumps(item.value)
        assert set_value(start, item.path, text) == start, item.path


def test_values_are_set_from_left_to_right() -> None:
    after = set_value(set_value(project(), "recipe.optimizer", "adam"), "recipe.optimizer.lr", "0.5")
    assert after.recipe.get("optimizer") == {"type": "adam", "lr": 0.5}
    again = set_value(after, "recipe.optimizer", "sgd")
    assert again.recipe.get("optimizer") == {"type": "sgd"}


def test_a_setting_of_one_entry_of_a_list_is_reached_by_its_number() -> None:
    after = set_value(project(), "recipe.metrics", "accuracy,top5")
    after = set_value(after, "recipe.metrics.1.k", "3")
    assert after.recipe.get("metrics")[1] == {"type": "top5", "k": 3}


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("recipe.epoch", "3", "did you mean 'epochs'"),
        ("recipe.epochs", "many", "whole number"),
        ("recipe.epochs", "0", "from 1"),
        ("recipe.optimizer", "lionfish", "no optimizer 'lionfish'"),
        ("recipe.optimizer.speed", "3", "no setting 'speed'"),
        ("recipe.epochs.inner", "3", "inside"),
        ("recipe", "3", "There is no setting"),
        ("nodes.danse.units", "3", "did you mean 'dense'"),
        ("nodes.dense", "3", "not a setting"),
        ("nodes.dense.unit", "3", "did you mean 'units'"),
        ("nodes.dense.units", "1e99", "whole number"),
        ("nodes.dense.bias", "none", "true or false"),
        ("nodes.dense.units", "none", "whole number"),
        ("recipe.optimizer", "3", "an optimizer by name"),
        ("nodes.blocks.repeat", "0", "from 1"),
        ("nodes.blocks.dense.units", "3", "no layer 'dense'"),
        ("defaults.dropout", "0.2", "no setting"),
        ("recipe.preprocess", "early_stopping", "early_stopping"),
        ("weather.sun", "1", "There is no setting"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(path: str, text: str, words: str) -> None:
    with pytest.raises(ProblemError) as caught:
        set_value(project(), path, text)
    assert words in str(caught.value)
