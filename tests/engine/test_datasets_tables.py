"""CSV tables: delimiter, header, gaps, words, target; every refusal names its line or column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.datafacts import DataFacts
from engine.datasets.encoding import Column, encode_rows
from engine.datasets.grids import read_grid
from engine.project import Project
from engine.runtime.data import Data, open_data, read_facts
from tests.engine.data_tools import places, recipe, refusal, shared

SMALL = "size,colour,kind\n1,red,a\n2,,b\n,blue,a\n4,red,b\n5,red,a\n"


def table(root: Path, text: str, **settings: Any) -> Data:
    (root / "t.csv").write_text(text, encoding="utf-8")
    return open_data(recipe({"type": "csv", "path": "t.csv", "validation": 0.0, **settings}), places(root))


def rows_of(data: Data, split: str = "train") -> list[list[float]]:
    return next(data.eval_batches(split)).inputs[0].tolist()


def test_gaps_become_the_median_and_words_become_features(tmp_path: Path) -> None:
    data = table(tmp_path, SMALL, target="kind")
    names = next(iter(data.samples("train", [0]).columns.values()))
    assert names == ("size", "colour=(missing)", "colour=blue", "colour=red")
    assert rows_of(data) == [[1, 0, 0, 1], [2, 1, 0, 0], [3, 0, 1, 0], [4, 0, 0, 1], [5, 0, 0, 1]]
    assert data.facts.targets["y"].classes == ("a", "b")
    assert data.labels("train").tolist() == [0, 1, 0, 1, 0]


def test_medians_and_words_are_learned_from_the_training_rows_only(tmp_path: Path) -> None:
    text = "a,w,y\n1,x,0\n2,x,1\n3,z,0\n,q,1\n900,q,1\n"
    data = table(tmp_path, text, target="y", validation=2, split="last")
    assert rows_of(data) == [[1, 1, 0], [2, 1, 0], [3, 0, 1]]
    assert rows_of(data, "val") == [[2, 0, 0], [900, 0, 0]]


@pytest.mark.parametrize(("sign", "name"), [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "bar")])
def test_the_delimiter_is_found_or_given(tmp_path: Path, sign: str, name: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(SMALL.replace(",", sign))
    assert read_grid(path) == read_grid(path, delimiter=name)
    assert read_grid(path).names == ("size", "colour", "kind")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b\n1,2\n3,4\n", ("a", "b")),
        ("1,2\n3,4\n", ("column 0", "column 1")),
        ("name,city\nAnn,Rome\nBob,Oslo\n", ("name", "city")),
        ("Ann,Rome\nBob,Rome\nAnn,Oslo\n", ("column 0", "column 1")),
        ("a,b\n?,x\n3,y\n", ("a", "b")),
    ],
)
def test_a_header_is_words_above_numbers(tmp_path: Path, text: str, names: tuple[str, ...]) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    assert read_grid(path).names == names
    assert len(read_grid(path, header="yes").rows) == len(read_grid(path, header="no").rows) - 1


def test_quotes_a_byte_order_mark_and_empty_lines_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('\ufeffa,b\n"1,5",2\n\n"say ""hi""",4\n', encoding="utf-8")
    grid = read_grid(path)
    assert grid.names == ("a", "b")
    assert grid.rows == [["1,5", "2"], ['say "hi"', "4"]]
    assert grid.lines == [2, 4]


@pytest.mark.parametrize("target", ["y", "2", "-1"])
def test_the_target_is_named_or_numbered(tmp_path: Path, target: str) -> None:
    data = table(tmp_path, "a,b,y\n1,2,0\n3,4,1\n", target=target)
    assert data.facts.extra["table"]["target"] == "y"
    assert data.facts.inputs["x"].shape == (2,)


def test_values_are_standardised_by_the_training_rows(tmp_path: Path) -> None:
    text = "a,y\n" + "".join(f"{n},{n * 10.5}\n" for n in range(10))
    data = table(tmp_path, text, target="y", validation=5, split="last")
    target = data.facts.targets["y"]
    known = np.arange(5) * 10.5
    assert target.mean == pytest.approx((known.mean(),))
    assert target.deviation == pytest.approx((known.std(),))
    batch = next(data.eval_batches("val"))
    assert batch.targets[0].shape == (5, 1)
    real = batch.targets[0].numpy() * target.deviation + target.mean
    np.testing.assert_allclose(real[:, 0], np.arange(5, 10) * 10.5, rtol=1e-5)
    assert data.labels("val")[0, 0] == 52.5
    plain = table(tmp_path, text, target="y", standardize_target=False)
    assert plain.facts.targets["y"].mean == ()
    assert float(next(plain.eval_batches("train")).targets[0].max()) == 94.5


@pytest.mark.parametrize(
    ("answers", "kind"),
    [(["0", "1"] * 20, "class"), (["yes", "no"] * 20, "class"), ([str(n) for n in range(40)], "value"),
     (["0.5", "1"] * 20, "value")],
)  # fmt: skip
def test_words_and_few_whole_numbers_are_classes(tmp_path: Path, answers: list[str], kind: str) -> None:
    text = "a,y\n" + "".join(f"{n},{answer}\n" for n, answer in enumerate(answers))
    assert table(tmp_path, text, target="y", header="yes").facts.targets["y"].kind == kind


def test_numbered_classes_are_ordered_as_numbers(tmp_path: Path) -> None:
    data = table(tmp_path, "a,y\n1,10\n2,9\n3,2\n", target="y")
    assert data.facts.targets["y"].classes == ("2", "9", "10")
    assert table(tmp_path, "a,y\n1,10\n2,9\n3,2\n", target="y", task="regression").facts.targets["y"].kind == "value"


def test_rows_of_another_length_are_named_by_their_line(tmp_path: Path) -> None:
    problem = refusal(lambda: table(tmp_path, "a,b,y\n1,2,0\n3,4,1\n5,6\n7,8,1\n", target="y"))
    assert problem.code == "data-ragged"
    assert "Line 4 has 2 cells, the first line 3" in problem.happened


@pytest.mark.parametrize(
    ("text", "settings", "code", "words"),
    [
        (SMALL, {}, "data-target", "No column to predict"),
        (SMALL, {"target": "price"}, "data-target", "'price'"),
        (SMALL, {"target": "7"}, "data-target", "'7'"),
        ("", {"target": "y"}, "data-empty", "empty"),
        ("a,y\n1,0\n2,\n3,1\n", {"target": "y"}, "data-missing-target", "line 3"),
        ("a,y\n1,0\n2,x\n", {"target": "y", "task": "regression"}, "data-target-number", "Line 3"),
        ("a,y\n,0\n,1\n", {"target": "y"}, "data-empty-column", "column a"),
        ("y\n0\n1\n", {"target": "y"}, "data-no-inputs", "No column is left"),
        (SMALL, {"target": "kind", "drop": "weight"}, "data-drop", "weight"),
        ("a,a,y\n1,2,0\n", {"target": "y", "header": "yes"}, "data-column-names", "called a"),
        ("a,y\n1,0\n", {"target": "y", "validation": 1}, "data-no-training-samples", "none to train on"),
        ("a,b,y\n", {"target": "y"}, "data-empty", "names but no rows"),
        ("a,y\n1,0\n", {"target": "y", "header": "yes"}, "data-one-class", "Every row has '0' as y"),
        ("a,y\n1,no\n2,no\n", {"target": "y"}, "data-one-class", "nothing to tell apart"),
        ("a,y\n1,0\ninf,1\n", {"target": "y"}, "data-not-finite", "Line 3 has 'inf' as a"),
        ("a,y\n1,0\n,0\n1e400,1\n", {"target": "y"}, "data-not-finite", "Line 4 has '1e400' as a"),
        ("a,y\n1,0\n-1e39,1\n", {"target": "y"}, "data-not-finite", "Line 3 has '-1e39' as a"),
        ("a,y\n1,2.5\n2,1e300\n", {"target": "y", "task": "regression"}, "data-not-finite", "'1e300' as y"),
        ("a,y\n1,2.5\n2,-Infinity\n", {"target": "y", "task": "regression"}, "data-not-finite", "as y"),
        ("a,y\n1,0\n2,0\n3,1\n", {"target": "y", "validation": 1, "split": "last"}, "data-lost-classes", "1 of 2"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(
    tmp_path: Path, text: str, settings: dict[str, Any], code: str, words: str
) -> None:
    problem = refusal(lambda: table(tmp_path, text, **settings))
    assert problem.code == code
    assert words in problem.happened


def test_infinity_among_words_is_a_word(tmp_path: Path) -> None:
    data = table(tmp_path, "a,y\nlow,0\ninf,1\nlow,1\n", target="y")
    assert data.facts.inputs["x"].shape == (2,)
    assert table(tmp_path, "a,y\n1,inf\n2,nil\n", target="y").facts.targets["y"].classes == ("inf", "nil")


def test_a_table_sorted_by_its_answer_is_split_at_random_by_one_click(tmp_path: Path) -> None:
    settings = {"target": "y", "validation": 5, "split": "last"}
    text = "a,y\n" + "".join(f"{n},{n // 5}\n" for n in range(20))
    problem = refusal(lambda: table(tmp_path, text, **settings))
    assert problem.code == "data-lost-classes"
    assert "1 of 4 classes" in problem.happened
    mend = problem.fixes[0].apply
    assert mend is not None
    chosen = recipe({"type": "csv", "path": "t.csv", **settings})
    mended = mend(Project(recipe=chosen)).recipe
    assert mended.get("data") == {**chosen.get("data"), "split": "random"}
    data = open_data(mended, places(tmp_path))
    assert len(set(data.labels("train").tolist())) == 4


def test_a_random_split_may_lose_a_class_of_one_sample_by_chance(tmp_path: Path) -> None:
    text = "a,y\n" + "".join(f"{n},{n}\n" for n in range(6))
    data = table(tmp_path, text, target="y", task="classification", validation=2, split="random")
    assert data.facts.counts == {"train": 4, "val": 2}


def test_bytes_that_are_no_text_are_named_by_their_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,y\n1,0\n\xff\xfe,1\n")
    problem = refusal(lambda: read_grid(tmp_path / "t.csv"))
    assert problem.code == "data-encoding"
    assert "Line 3" in problem.happened


def test_rows_without_an_answer_can_be_skipped(tmp_path: Path) -> None:
    data = table(tmp_path, "a,y\n1,0\n2,\n3,1\n", target="y", missing_target="skip")
    assert rows_of(data) == [[1], [3]]


def test_columns_of_many_words_are_left_out_by_one_click(tmp_path: Path) -> None:
    text = "name,a,y\n" + "".join(f"person{n},{n},{n % 2}\n" for n in range(60))
    problem = refusal(lambda: table(tmp_path, text, target="y"))
    assert problem.code == "data-many-words"
    assert "name (60)" in problem.happened
    chosen = recipe({"type": "csv", "path": "t.csv", "target": "y", "drop": ""})
    mend = problem.fixes[0].apply
    assert mend is not None
    mended = mend(Project(recipe=chosen)).recipe
    assert open_data(mended, places(tmp_path)).facts.inputs["x"].shape == (1,)


def test_a_prediction_encodes_its_rows_as_training_did(tmp_path: Path) -> None:
    data = table(tmp_path, SMALL, target="kind")
    facts = DataFacts.from_json(data.facts.to_json())
    columns = [Column.from_json(item) for item in facts.extra["table"]["columns"]]
    rows = [{"size": "7", "colour": "blue"}, {"size": "", "colour": "green", "other": "x"}]
    assert encode_rows(columns, rows).tolist() == [[7, 0, 1, 0], [3, 0, 0, 0]]
    assert "no such column" in refusal_words(lambda: encode_rows(columns, [{"size": "7"}]))
    assert "'big'" in refusal_words(lambda: encode_rows(columns, [{"size": "big", "colour": "red"}]))


def refusal_words(work: Any) -> str:
    from engine.problem import ProblemError

    with pytest.raises(ProblemError) as caught:
        work()
    return caught.value.problem.happened


def test_real_house_prices_open_with_gaps_and_words(tmp_path: Path) -> None:
    file = shared("tabular/california_housing.csv")
    chosen = recipe({"type": "csv", "path": str(file), "target": "median_house_value"}, standardize="feature")
    data = open_data(chosen, places(tmp_path))
    assert data.facts.counts == {"train": 16512, "val": 4128}
    assert data.facts.inputs["x"].shape == (13,)
    inputs = torch.cat([batch.inputs[0] for batch in data.eval_batches("train")])
    answers = torch.cat([batch.targets[0] for batch in data.eval_batches("train")])
    torch.testing.assert_close(inputs.mean(0), torch.zeros(13), atol=1e-4, rtol=0)
    torch.testing.assert_close(answers.std(0, correction=0), torch.ones(1), atol=1e-4, rtol=0)


def test_real_passengers_open_once_their_names_are_left_out(tmp_path: Path) -> None:
    data = {"type": "csv", "path": str(shared("tabular/titanic_train.csv")), "target": "Survived"}
    problem = refusal(lambda: read_facts(recipe(data), places(tmp_path)))
    assert "Name (713), Ticket (563), Cabin (123)" in problem.happened
    facts = read_facts(recipe({**data, "drop": "PassengerId, Name, Ticket, Cabin"}), places(tmp_path))
    assert facts.inputs["x"].shape == (11,)
    assert facts.targets["y"].classes == ("0", "1")
