"""The built-in projects: they open without errors, look tidy, and train."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tarfile
from itertools import combinations
from pathlib import Path

import pytest

from engine.datasets.facts import raw_streams
from engine.events import EpochEnded, RunEnded
from engine.examples import example_names, load_example
from engine.graph import GROUP_INPUT, GROUP_OUTPUT, input_ports
from engine.known import known_data
from engine.places import Places
from engine.problem import Severity
from engine.runtime.analyze import analyze
from engine.runtime.data.preprocess import Preparation
from engine.runtime.session import run
from engine.settings import set_value
from engine.source_ends import find_ends
from engine.standalone import standalone
from tests.engine.data_tools import shared

NAMES = (
    "digits-mlp", "cifar-cnn", "cifar-resnet", "digits-cnn", "digits-lstm", "fashion-cnn", "fashion-mlp", "housing",
    "spirals", "two-inputs",
)  # fmt: skip
PARAMETERS = {
    "digits-mlp": 6_570, "fashion-mlp": 99_710, "cifar-resnet": 272_474, "spirals": 2_307, "housing": 9_281,
}  # fmt: skip


def trained(name, places, folder, *settings):
    project = load_example(name)
    for setting in settings:
        path, _, value = setting.partition("=")
        project = set_value(project, path, value)
    events = list(run(project, runs=folder / "runs", places=places, threads=1, device="cpu"))
    assert isinstance(events[-1], RunEnded)
    assert events[-1].outcome == "completed", events[-1].problem
    return [event for event in events if isinstance(event, EpochEnded)]


def test_there_are_the_ten_projects_that_tools_know():
    assert tuple(example_names()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_opens_without_problems_and_with_all_shapes(name):
    project = load_example(name)
    assert project.name == name
    assert len(project.notes) > 100
    analysis = analyze(project)
    assert [item for item in analysis.problems if item.severity is not Severity.ADVICE] == []
    assert analysis.source
    if name in PARAMETERS:
        assert analysis.parameters == PARAMETERS[name]
    for (definition, node), facts in analysis.nodes.items():
        type_name = project.graph.level(definition).nodes[node].type
        assert facts.output is not None or type_name in ("output", GROUP_OUTPUT)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_laid_out_from_left_to_right_on_the_grid(name):
    graph = load_example(name).graph
    for _, level in graph.levels():
        nodes = level.nodes
        for node in nodes.values():
            # Two wires that meet lie half a row above and below their merge.
            assert node.x % 8 == 0
            assert node.y % 4 == 0
        for edge in level.edges:
            assert nodes[edge.source].x + 64 < nodes[edge.target].x
        for one, other in combinations(nodes.values(), 2):
            assert abs(one.x - other.x) >= 104 or abs(one.y - other.y) >= 84, (one.name, other.name)


@pytest.mark.parametrize("name", NAMES)
def test_every_input_is_wired(name):
    graph = load_example(name).graph
    for _, level in graph.levels():
        for node in level.nodes.values():
            fed = {edge.input for edge in level.edges if edge.target == node.id}
            assert {port.name for port in input_ports(graph, node)} <= fed or node.type == GROUP_INPUT


def test_the_first_one_reads_more_than_95_of_100_new_digits(tmp_path):
    epochs = trained("digits-mlp", Places(folder=tmp_path), tmp_path, "recipe.epochs=12")
    assert max(event.metrics["val_accuracy"] for event in epochs) > 0.95


@pytest.mark.parametrize(
    ("name", "epochs", "least"),
    [("digits-cnn", 4, 0.9), ("digits-lstm", 4, 0.75), ("two-inputs", 6, 0.85), ("spirals", 40, 0.9)],
)
def test_those_without_a_download_learn(name, epochs, least, tmp_path):
    found = trained(name, Places(folder=tmp_path), tmp_path, f"recipe.epochs={epochs}")
    assert found[-1].metrics["val_accuracy"] > least
    assert found[-1].train_loss < found[0].train_loss


@pytest.mark.parametrize("name", ["fashion-mlp", "fashion-cnn"])
def test_fashion_learns_from_a_few_samples(name, tmp_path):
    places = Places(data=shared("fashion-mnist"), folder=tmp_path)
    found = trained(
        name, places, tmp_path, "recipe.epochs=2", "recipe.data.limit=1500", "recipe.data.validation=500",
        "recipe.optimizer.lr=0.005",
    )  # fmt: skip
    assert found[-1].train_loss < found[0].train_loss
    assert found[-1].metrics["val_accuracy"] > 0.25


def test_fashion_keeps_the_last_five_thousand_training_images_for_validation():
    project = load_example("fashion-mlp")
    assert project.data is not None
    assert project.data.counts == {"train": 55_000, "val": 5_000, "test": 10_000}
    assert project.recipe.get("data")["split"] == "last"


@pytest.mark.parametrize("name", ["cifar-cnn", "cifar-resnet"])
def test_cifar_trains_on_an_image_folder(name, tmp_path):
    _some_of_cifar(shared("cifar10/cifar10_images.tar.gz"), tmp_path / "cifar10_images" / "train")
    data = '{"type": "image_folder", "path": "cifar10_images", "validation": 0.25}'
    found = trained(
        name, Places(data=tmp_path, folder=tmp_path), tmp_path, f"recipe.data={data}", "recipe.epochs=2",
        "recipe.batch_size=20", "recipe.optimizer.lr=0.002", "nodes.head.classes.units=2",
    )  # fmt: skip
    assert len(found) == 2
    assert found[-1].train_loss < 1.5


def _some_of_cifar(archive: Path, folder: Path) -> None:
    """Forty training images of two classes each: unpacking all 60,000 would take a minute."""
    left = {"airplane": 40, "automobile": 40}
    with tarfile.open(archive) as tar:
        for member in tar:
            *_, split, name, file = ("", "", "", *Path(member.name).parts)
            if not member.isfile() or split != "train" or not left.get(name):
                continue
            left[name] -= 1
            (folder / name).mkdir(parents=True, exist_ok=True)
            stream = tar.extractfile(member)
            assert stream is not None
            (folder / name / file).write_bytes(stream.read())
            if not any(left.values()):
                return


def test_housing_learns_what_houses_cost(tmp_path):
    places = Places(data=shared("tabular"), folder=tmp_path)
    found = trained("housing", places, tmp_path, "recipe.epochs=3", "recipe.data.limit=4000")
    assert found[-1].metrics["val_r2"] > 0.3
    assert 10_000 < found[-1].metrics["val_mae"] < 90_000


ALONE = """
import importlib.abc, json, runpy, sys
class Only(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("engine", "gui", "resources", "main", "torchvision", "safetensors", "PIL",
                                      "sklearn", "numpy", "filelock", "tqdm"):
            raise ModuleNotFoundError(name + " is not there")
sys.meta_path.insert(0, Only())
import torch
torch.manual_seed(0)
found = {}
for name, (file, code, cls, raw, prepared) in json.load(open(sys.argv[1])).items():
    names, plain = runpy.run_path(file), runpy.run_path(code)
    model = names[cls]()
    twin = plain[cls]()
    twin.load_state_dict(model.state_dict())
    model.eval(), twin.eval()
    inputs = names["preprocess"](*(torch.zeros(3, *shape) for shape in raw))
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    answer = names["predict"](model, *(torch.zeros(3, *shape) for shape in raw))
    with torch.no_grad():
        same = torch.equal(model(*inputs), twin(*inputs))
    found[name] = [[list(item.shape[1:]) for item in inputs] == prepared, same, list(answer.shape),
                   bool(torch.isfinite(answer).all())]
print(json.dumps(found))
"""


STANDARDISED = {"housing": 13, "cifar-cnn": 3, "cifar-resnet": 3}
"""Numbers that a run would know of its training set: one per feature, or one per channel."""


def statistics_of(name):
    count = STANDARDISED.get(name, 0)
    return {"x": Preparation("", mean=(0.5,) * count, deviation=(2.0,) * count)}


def test_the_code_of_each_runs_in_a_process_that_has_nothing_but_torch(tmp_path):
    jobs = {}
    for name in NAMES:
        project = load_example(name)
        analysis = analyze(project)
        files = (tmp_path / f"{name}.export.py", tmp_path / f"{name}.code.py")
        texts = standalone(project, analysis, statistics=statistics_of(name)), analysis.source
        for file, text in zip(files, texts, strict=True):
            file.write_text(text, encoding="utf-8")
            wanted = {
                alias.name if isinstance(item, ast.Import) else item.module
                for item in ast.walk(ast.parse(text)) if isinstance(item, (ast.Import, ast.ImportFrom))
                for alias in item.names
            }  # fmt: skip
            assert {word.partition(".")[0] for word in wanted} == {"torch"}, name
        data = known_data(project)
        streams = [end.stream for end in find_ends(project).inputs]
        raw = [list(raw_streams(data)[stream].shape) for stream in streams]
        prepared = [list(data.inputs[stream].shape) for stream in streams]
        jobs[name] = [*map(str, files), analysis.class_name, raw, prepared]
    (tmp_path / "jobs.json").write_text(json.dumps(jobs))
    line = [sys.executable, "-I", "-c", ALONE, str(tmp_path / "jobs.json")]
    said = subprocess.run(line, capture_output=True, text=True, timeout=100, check=False, cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    classes = dict.fromkeys(NAMES, 10) | {"spirals": 3, "housing": 1}
    assert found == {name: [True, True, [3, classes[name]], True] for name in NAMES}
