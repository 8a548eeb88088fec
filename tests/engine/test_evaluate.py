"""Evaluation: figures against scikit-learn, real units, tables, several outputs, and whole runs by checkpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import metrics as library
from torch import nn

from engine.datafacts import DataFacts, Target
from engine.examples import load_example
from engine.places import Places
from engine.problem import ProblemError
from engine.recipe import Recipe
from engine.runtime.data.batches import Batch
from engine.runtime.evaluate import evaluate, evaluate_run
from engine.runtime.metrics import is_better_when_larger, metrics_of
from engine.runtime.objective import Head
from engine.runtime.scoring import Cancelled
from engine.runtime.session import run
from engine.runtime.tally import Tally

CLASSES = Target(classes=("a", "b", "c"))
METRICS = metrics_of(Recipe().with_value("metrics", ["accuracy", "f1", "mae", "r2"]))


class Fixed:
    """Given tensors as a validation split, in uneven batches."""

    def __init__(self, x: torch.Tensor, *targets: torch.Tensor) -> None:
        self.facts = DataFacts(counts={"val": len(x)})
        self._x, self._targets = x, targets

    def eval_batches(self, split: str, batch_size: int = 7):
        assert split == "val"
        parts = [self._x.split(7), *(item.split(7) for item in self._targets)]
        for x, *targets in zip(*parts, strict=True):
            yield Batch((x,), tuple(targets), len(x))


def test_figures_and_tables_agree_with_scikit_learn() -> None:
    torch.manual_seed(3)
    x, y = torch.randn(40, 3), torch.randint(0, 3, (40,))
    heads = [Head("out", 0, nn.CrossEntropyLoss(), CLASSES)]
    found = evaluate(nn.Identity(), Fixed(x, y), "val", heads=heads, metrics=METRICS)
    said = x.argmax(1).numpy()
    assert found.loss == pytest.approx(nn.functional.cross_entropy(x, y).item(), rel=1e-6)
    assert found.metrics == pytest.approx(
        {"accuracy": library.accuracy_score(y, said), "f1": library.f1_score(y, said, average="macro")}
    )
    table = found.tables["out"]
    assert table["confusion"] == library.confusion_matrix(y, said).tolist()
    precision, recall, f1, support = library.precision_recall_fscore_support(y, said, zero_division=0.0)
    assert [row["precision"] for row in table["per_class"]] == pytest.approx(list(precision))
    assert [row["recall"] for row in table["per_class"]] == pytest.approx(list(recall))
    assert [row["f1"] for row in table["per_class"]] == pytest.approx(list(f1))
    assert [row["samples"] for row in table["per_class"]] == list(support)


def test_regression_is_judged_in_real_units() -> None:
    facts = Target(kind="value", mean=(100.0,), deviation=(20.0,))
    answers, truth = torch.randn(20, 1), torch.randn(20, 1)
    heads = [Head("out", 0, nn.MSELoss(), facts)]
    found = evaluate(nn.Identity(), Fixed(answers, truth), "val", heads=heads, metrics=METRICS)
    assert set(found.metrics) == {"mae", "r2"}
    assert found.metrics["mae"] == pytest.approx(20 * (answers - truth).abs().mean().item(), rel=1e-5)
    assert found.loss == pytest.approx(nn.functional.mse_loss(answers, truth).item(), rel=1e-5)
    assert not found.tables


def test_several_outputs_are_told_apart_by_name_and_added_by_weight() -> None:
    class Two(nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return x[:, :3], x[:, 3:]

    x, y, z = torch.randn(21, 4), torch.randint(0, 3, (21,)), torch.randint(0, 2, (21, 1)).float()
    heads = [
        Head("kind", 0, nn.CrossEntropyLoss(), CLASSES),
        Head("sick", 1, nn.BCEWithLogitsLoss(), Target(kind="binary", classes=("no", "yes")), weight=0.5),
    ]
    found = evaluate(Two(), Fixed(x, y, z), "val", heads=heads, metrics=METRICS)
    assert set(found.metrics) == {"kind_accuracy", "kind_f1", "sick_accuracy", "sick_f1"}
    kind = nn.functional.cross_entropy(x[:, :3], y).item()
    sick = nn.functional.binary_cross_entropy_with_logits(x[:, 3:], z).item()
    assert found.loss == pytest.approx(kind + 0.5 * sick, rel=1e-5)
    assert found.tables["sick"]["classes"] == ["no", "yes"]
    assert np.sum(found.tables["sick"]["confusion"]) == 21


def test_a_yes_or_no_for_each_of_several_classes_is_judged_by_the_one_that_is_a_yes() -> None:
    """One-hot targets: the answer is the largest output, as with scikit-learn's class numbers."""
    torch.manual_seed(4)
    x, y = torch.randn(50, 3) - 1.0, torch.randint(0, 3, (50,))
    targets = nn.functional.one_hot(y, 3).float()
    heads = [Head("out", 0, nn.BCEWithLogitsLoss(), Target(kind="binary", classes=("a", "b", "c")))]
    found = evaluate(nn.Identity(), Fixed(x, targets), "val", heads=heads, metrics=METRICS)
    said = x.argmax(1).numpy()
    assert found.metrics["accuracy"] == pytest.approx(library.accuracy_score(y, said))
    assert found.metrics["f1"] == pytest.approx(library.f1_score(y, said, average="macro"))
    assert found.tables["out"]["confusion"] == library.confusion_matrix(y, said).tolist()
    tally = Tally(heads, torch.device("cpu"))
    for start in (0, 30):
        part = slice(start, start + 30)
        tally.add(torch.tensor(1.0), len(y[part]), (x[part],), (targets[part],))
    assert tally.figures()[1]["accuracy"] == pytest.approx(library.accuracy_score(y, said))


def test_evaluation_leaves_the_model_as_it_was_and_can_be_cut_short() -> None:
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5))
    model.train()
    data = Fixed(torch.randn(20, 3), torch.randint(0, 3, (20,)))
    before = torch.get_rng_state()
    heads = [Head("out", 0, nn.CrossEntropyLoss(), CLASSES)]
    evaluate(model, data, "val", heads=heads)
    with pytest.raises(Cancelled):
        evaluate(model, data, "val", heads=heads, cancelled=lambda: True)
    assert model.training
    assert model[0].num_batches_tracked == 0
    assert torch.equal(torch.get_rng_state(), before)


def test_what_is_better_follows_the_metric() -> None:
    names = ("val_loss", "val_accuracy", "val_mae", "train_loss")
    directions = {name: is_better_when_larger(name, METRICS) for name in names}
    assert directions == {"val_loss": False, "val_accuracy": True, "val_mae": False, "train_loss": False}


def test_a_run_is_evaluated_with_the_weights_that_are_asked_for(tmp_path: Path) -> None:
    project = load_example("digits-mlp")
    project = project.with_recipe(project.recipe.with_value("optimizer", {"type": "sgd", "lr": 3.0}))
    places = Places(folder=tmp_path)
    ended = list(run(project, runs=tmp_path, places=places, epochs=6, threads=1))[-1]
    folder = Path(ended.run)
    for kind, figures in (("last", ended.final), ("best", ended.best)):
        found = evaluate_run(folder, places=places, checkpoint=kind, threads=1, device="cpu")
        assert found["loss"] == pytest.approx(figures["val_loss"], rel=1e-6)
        assert found["accuracy"] == pytest.approx(figures["val_accuracy"])
        assert found["epoch"] == figures["epoch"]
        assert np.sum(next(iter(found["tables"].values()))["confusion"]) == found["samples"] == 359
    assert evaluate_run(folder, places=places, threads=1)["checkpoint"] == "last"
    with pytest.raises(ProblemError, match="no test samples"):
        evaluate_run(folder, places=places, split="test")


def test_a_recorded_model_file_is_never_executed(tmp_path: Path) -> None:
    places = Places(folder=tmp_path)
    ended = list(run(load_example("digits-mlp"), runs=tmp_path, places=places, epochs=1, threads=1))[-1]
    folder = Path(ended.run)
    (folder / "model.py").write_text(f"open({str(tmp_path / 'evil')!r}, 'w')\n")
    found = evaluate_run(folder, places=places, threads=1)
    assert not (tmp_path / "evil").exists()
    assert "differs" in found["notes"][0]
