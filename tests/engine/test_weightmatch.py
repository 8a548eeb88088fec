"""Which tensor of a file goes where: by name, under other beginnings, by order and shape; and what has no partner."""

from __future__ import annotations

from functools import reduce

import pytest

from engine.tensorfacts import TensorFacts
from engine.weightmatch import ABSENT, DIFFERS, NAMED, ORDERED, UNUSED, Match, match

Shapes = dict[str, tuple[int, ...]]

NET: Shapes = {
    "conv1.weight": (8, 3, 3, 3), "bn1.weight": (8,), "bn1.bias": (8,), "bn1.running_mean": (8,),
    "bn1.running_var": (8,), "bn1.num_batches_tracked": (), "blocks.0.fc.weight": (8, 8), "blocks.0.fc.bias": (8,),
    "blocks.1.fc.weight": (8, 8), "blocks.1.fc.bias": (8,), "head.weight": (10, 8), "head.bias": (10,),
}  # fmt: skip


def facts(shapes: Shapes, dtype: str = "float32") -> dict[str, TensorFacts]:
    return {
        key: TensorFacts(shape, "int64" if key.endswith("tracked") else dtype) for key, shape in shapes.items()
    }  # fmt: skip


def matched(held: Shapes, wanted: Shapes = NET, dtype: str = "float32", **more: object) -> Match:
    return match(facts(held, dtype), facts(wanted), **more)


def status(found: Match, own: str) -> tuple[str, str]:
    (row,) = [row for row in found.rows if row.own == own]
    return row.status, row.theirs


def renamed(words: dict[str, str], shapes: Shapes = NET) -> Shapes:
    return {_replaced(key, words): shape for key, shape in shapes.items()}


def _replaced(key: str, words: dict[str, str]) -> str:
    return reduce(lambda text, pair: text.replace(*pair), words.items(), key)


def test_equal_names_and_shapes_match_completely() -> None:
    found = matched(NET)
    assert found.is_complete
    assert found.counts == {NAMED: len(NET), ORDERED: 0, DIFFERS: 0, ABSENT: 0, UNUSED: 0}
    assert found.taken == {key: key for key in NET}
    assert found.said == ()


@pytest.mark.parametrize("begin", ["module.", "_orig_mod.", "model.", "net.", "model.module.", "module._orig_mod."])
def test_what_wrappers_put_before_names_is_taken_off_and_told(begin: str) -> None:
    found = matched({begin + key: shape for key, shape in NET.items()})
    assert found.is_complete
    assert found.taken["head.bias"] == f"{begin}head.bias"
    assert "removed" in found.said[0]


def test_a_wrapper_deep_inside_is_taken_off() -> None:
    found = matched(renamed({"blocks.": "blocks._orig_mod."}))
    assert found.is_complete


def test_a_network_inside_a_group_takes_the_weights_of_that_network_alone() -> None:
    inside = {f"backbone.{key}": shape for key, shape in NET.items()}
    found = matched(NET, {**inside, "new.weight": (2, 10), "new.bias": (2,)})
    assert found.taken["backbone.conv1.weight"] == "conv1.weight"
    assert status(found, "new.weight") == (ABSENT, "")
    assert "inside backbone" in found.said[0]


def test_a_part_of_a_larger_network_is_found_in_its_file() -> None:
    file = {f"encoder.{key}": shape for key, shape in NET.items()} | {"decoder.weight": (3, 3)}
    found = matched(file)
    assert found.counts[NAMED] == len(NET)
    assert found.counts[UNUSED] == 1


def test_a_new_head_differs_in_shape_and_everything_else_lands() -> None:
    found = matched({**NET, "head.weight": (1000, 8), "head.bias": (1000,)})
    assert not found.is_complete
    assert found.counts == {NAMED: len(NET) - 2, ORDERED: 0, DIFFERS: 2, ABSENT: 0, UNUSED: 0}
    assert "head.weight" not in found.taken


def test_other_names_match_by_order_and_shape_with_the_counters_of_batch_norm() -> None:
    file = renamed(
        {"conv1": "stem.0", "bn1": "stem.1", "blocks.0.fc": "body.a", "blocks.1.fc": "body.b", "head": "out"}
    )
    found = matched(file)
    assert found.is_complete
    assert found.counts[ORDERED] == len(NET)
    assert status(found, "blocks.1.fc.weight") == (ORDERED, "body.b.weight")
    assert status(found, "bn1.num_batches_tracked") == (ORDERED, "stem.1.num_batches_tracked")


def test_another_head_under_another_name_is_shown_beside_the_networks_own() -> None:
    file = renamed({"conv1": "a", "bn1": "b", "blocks.0.fc": "c", "blocks.1.fc": "d", "head": "out"})
    found = matched({**file, "out.weight": (7, 8), "out.bias": (7,)})
    assert status(found, "head.weight") == (DIFFERS, "out.weight")
    assert status(found, "blocks.1.fc.weight") == (ORDERED, "d.weight")


def test_a_file_without_order_is_taken_by_name_with_numbers_counted() -> None:
    wanted: Shapes = {f"x.{place}.weight": (4, 4) for place in range(12)}
    file: Shapes = {key.replace("x.", "layers."): shape for key, shape in sorted(wanted.items())}
    found = match(facts(file), facts({f"l{place}.weight": (4, 4) for place in range(12)}), ordered=False)
    assert status(found, "l2.weight") == (ORDERED, "layers.2.weight")
    assert status(found, "l11.weight") == (ORDERED, "layers.11.weight")
    assert any("order" in words for words in found.said)


def test_leaves_with_other_names_match_by_shape_alone() -> None:
    found = matched({"a.kernel": (4, 3), "a.offset": (4,)}, {"fc.weight": (4, 3), "fc.bias": (4,)})
    assert found.taken == {"fc.weight": "a.kernel", "fc.bias": "a.offset"}


def test_weights_of_something_else_match_nothing_by_chance() -> None:
    found = matched({"stage1.norm.weight": (32,), "stage1.norm.bias": (32,), "stage1.conv.weight": (32, 1, 3, 3)},
                    {"a.weight": (64, 64), "a.bias": (64,), "b.weight": (32, 64), "b.bias": (32,)})  # fmt: skip
    assert found.taken == {}
    assert found.counts[ABSENT] == 4
    assert found.counts[UNUSED] == 3


def test_a_missing_counter_of_batch_norm_is_no_loss() -> None:
    found = matched({key: shape for key, shape in NET.items() if not key.endswith("tracked")})
    assert found.is_complete
    assert found.counts[ABSENT] == 1


def test_another_name_for_a_tied_tensor_is_no_loss() -> None:
    found = matched({**NET, "tied.weight": (10, 8)}, aliases={"tied.weight": "head.weight"})
    assert found.is_complete
    assert found.rows[-1].harmless
    assert "head.weight" in found.rows[-1].note


def test_numbers_of_other_types_are_told_and_whole_ones_are_no_weights() -> None:
    half = matched(NET, dtype="float16")
    assert half.is_complete
    assert "11 tensors are float16 in the file and float32 in the network: every value stays as it is" in half.said
    assert any("rounded" in words for words in matched(NET, dtype="float64").said)
    assert matched(NET, dtype="int8").counts[DIFFERS] == len(NET) - 1


def test_names_of_weight_norm_from_older_torch_are_understood() -> None:
    wanted: Shapes = {"fc.bias": (4,), "fc.parametrizations.weight.original0": (4, 1),
                      "fc.parametrizations.weight.original1": (4, 3)}  # fmt: skip
    found = matched({"fc.bias": (4,), "fc.weight_g": (4, 1), "fc.weight_v": (4, 3)}, wanted)
    assert found.taken["fc.parametrizations.weight.original1"] == "fc.weight_v"
    plain = matched({"fc.bias": (4,), "fc.weight": (4, 3)}, wanted)
    assert status(plain, "fc.parametrizations.weight.original1")[0] == ABSENT
    assert "would not land exactly" in plain.rows[1].note


def test_a_network_of_thousands_of_tensors_is_matched_at_once() -> None:
    wanted: Shapes = {f"blocks.{place}.fc.{leaf}": shape for place in range(1500)
                      for leaf, shape in (("weight", (4, 4)), ("bias", (4,)))}  # fmt: skip
    file = {f"model.{key}": shape for key, shape in wanted.items()}
    assert matched(file, wanted).is_complete
    assert matched(renamed({"blocks": "h", "fc": "mlp"}, wanted), wanted).counts[ORDERED] == 3000


def test_plain_data_says_it_all() -> None:
    data = matched({**NET, "head.weight": (3, 8)}).to_json()
    assert (data["complete"], data["differs"]) == (False, 1)
    (row,) = [row for row in data["tensors"] if row["status"] == DIFFERS]
    assert (row["network"], row["network_shape"], row["file_shape"]) == ("head.weight", [10, 8], [3, 8])
