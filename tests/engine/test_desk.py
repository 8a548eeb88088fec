"""Questions about single samples: what was seen, layers, saliency, the truth, and which weights answered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.asked import CAM, LAYER, SALIENCY, Desk, FromCells, FromData, FromFile, FromPixels, Question
from engine.events import RunEnded
from engine.examples import load_example
from engine.places import Places
from engine.problem import ProblemError
from engine.runtime.desk import answer
from engine.runtime.restore import Restored, load_run
from engine.runtime.session import run
from tests.engine.test_predict import table, trained

PLACES = Places()


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Restored:
    return trained(tmp_path_factory.mktemp("desk"), load_example("digits-cnn"))


@pytest.fixture(scope="module")
def prices(tmp_path_factory) -> tuple[Restored, Places]:
    folder = tmp_path_factory.mktemp("prices")
    return trained(folder, table(folder), "recipe.epochs=30"), Places(folder=folder)


def ask(restored: Restored, source, places: Places = PLACES, **more):
    return answer(Question(restored.info.path, source, **more), Desk(), places)


def test_a_sample_of_the_data_comes_with_its_truth_and_what_the_network_saw(digits):
    reply = ask(digits, FromData("val", 3))
    ((name, said),) = reply.answers.items()
    assert reply.truth[name] in dict(said.scores)
    assert reply.is_right(name) == (said.scores[0][0] == reply.truth[name])
    assert reply.seen["x"].values.shape == (1, 8, 8)
    low, high = reply.seen["x"].span
    assert 0 <= low < high <= 1
    assert reply.weights.checkpoint in ("best", "last")
    assert not reply.weights.running
    assert "divided by 16" in " ".join(reply.said)
    with torch.no_grad():
        expected = digits.model(torch.from_numpy(reply.seen["x"].values)[None]).softmax(1)[0]
    assert dict(said.scores)["3"] == pytest.approx(float(expected[3]), abs=1e-6)


def test_a_sample_that_is_not_there_and_a_split_that_is_not_are_told(digits):
    for split, place, words in (("val", 10_000, "no val sample"), ("test", 0, "no test samples")):
        with pytest.raises(ProblemError) as caught:
            ask(digits, FromData(split, place))
        assert words in caught.value.problem.happened


def test_drawn_digits_are_recognised_wherever_and_however_large_they_are_drawn(tmp_path):
    restored = trained(tmp_path, load_example("digits-mlp"), "recipe.epochs=8", "recipe.batch_size=8")
    from engine.runtime.data import read_data

    found = read_data(restored.project.recipe, PLACES).samples("val", range(12))
    right = 0
    for place, (image, label) in enumerate(zip(found.inputs["x"], found.labels, strict=True)):
        paper = np.full((280, 280), 255, np.uint8)
        side = 100 + 10 * (place % 5)
        ink = np.asarray(Image.fromarray((image[0] / 16 * 255).astype(np.uint8)).resize((side, side)))
        paper[20 * (place % 4) : 20 * (place % 4) + side, 130 : 130 + side] -= ink
        reply = ask(restored, FromPixels(paper[:, :, None], "the drawing", drawn=True))
        right += next(iter(reply.answers.values())).scores[0][0] == label
        assert any("cut out" in words for words in reply.said)
    assert right >= 9


def test_layers_are_listed_in_order_and_one_is_looked_into(digits):
    reply = ask(digits, FromData("val", 0), look=LAYER)
    assert reply.layers[0] == reply.layer
    assert reply.activations.shape == reply.layer.shape
    maps = next(layer for layer in reply.layers if len(layer.shape) == 3)
    chosen = ask(digits, FromData("val", 0), look=LAYER, layer=maps.path)
    module = digits.model.get_submodule(maps.path)
    seen = []
    handle = module.register_forward_hook(lambda *given: seen.append(given[2]))
    with torch.no_grad():
        digits.model(torch.from_numpy(chosen.seen["x"].values)[None])
    handle.remove()
    assert np.allclose(chosen.activations, seen[0][0].numpy(), atol=1e-6)
    with pytest.raises(ProblemError, match="no layer 'nowhere'"):
        ask(digits, FromData("val", 0), look=LAYER, layer="nowhere")


def test_saliency_explains_the_answer_or_another_class(digits):
    reply = ask(digits, FromData("val", 0), look=SALIENCY)
    found = reply.saliency
    assert found.answer == next(iter(reply.answers.values())).scores[0][0]
    assert found.maps["x"].shape == (1, 8, 8)
    assert abs(found.maps["x"].sum() - found.rise) <= 0.01 * abs(found.rise) + 1e-4
    assert found.baseline == "black"
    other = ask(digits, FromData("val", 0), look=SALIENCY, method=CAM, answer="5").saliency
    assert other.answer == "5"
    assert other.maps["x"].shape == (8, 8)
    assert other.maps["x"].min() >= 0
    trouble = ask(digits, FromData("val", 0), look=SALIENCY, answer="eleven").trouble
    assert "never answers 'eleven'" in trouble.happened


def test_a_row_that_is_typed_is_answered_and_explained(prices):
    restored, places = prices
    reply = ask(restored, FromCells({"size": "20", "where": "near"}), places, look=SALIENCY)
    assert next(iter(reply.answers.values())).values["price"] > 0
    assert len(reply.saliency.maps["x"]) == len(reply.seen["x"].names) == 3
    (name,) = ask(restored, FromData("val", 1), places).cells.keys() - {"size"}
    assert name == "where"
    for cells, words in (({"size": "20"}, "no such column"), ({"size": "much", "where": "near"}, "no number")):
        with pytest.raises(ProblemError, match=words):
            ask(restored, FromCells(cells), places)
    trouble = ask(restored, FromCells({"size": "1", "where": "far"}), places, look=SALIENCY, method=CAM).trouble
    assert "feature maps" in trouble.happened
    with pytest.raises(ProblemError, match="no images"):
        ask(restored, FromPixels(np.zeros((4, 4, 3), np.uint8), "pasted"), places)


def test_a_sample_that_is_not_finite_is_refused(digits, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.full((2, 1, 8, 8), np.nan, np.float32))
    with pytest.raises(ProblemError, match="not finite"):
        ask(digits, FromFile(tmp_path / "a.npz"))


def test_the_newest_checkpoint_of_a_run_under_way_answers_and_training_goes_on_undisturbed(tmp_path):
    """Beside questions with dropout on, training ends in the very same bits as alone."""
    from engine import edits, wires

    project = load_example("digits-mlp")
    graph = project.graph
    edge = next(edge for edge in graph.edges if graph.nodes[edge.target].type == "linear")
    graph, drop = edits.add_node(graph, "", "dropout", name="drop", params={"rate": 0.4})
    project = replace(
        project, graph=wires.insert_on_edge(graph, "", edge, drop.id), recipe=project.recipe.with_value("epochs", 1)
    )
    weights, steps, running = [], set(), set()
    for asked in (False, True):
        folder, desk, path = tmp_path / str(asked), Desk(), None
        events = run(project, runs=folder, places=PLACES, device="cpu", threads=1)
        for number, event in enumerate(events):
            path = path or Path(event.run)
            if asked and number % 30 == 5:
                question = Question(path, FromData("train", 5), checkpoint="last", passes=5, look=SALIENCY)
                reply = answer(question, desk, PLACES)
                steps.add(reply.weights.step)
                running.add(reply.weights.running)
        assert isinstance(event, RunEnded)
        weights.append(load_run(path, "last").model.state_dict())
    assert running == {True}
    assert all(torch.equal(value, weights[1][key]) for key, value in weights[0].items())
