"""What holds for every declaration of the catalogue, whatever it is."""

from __future__ import annotations

import json

import pytest

from engine.accept import ACCEPTED
from engine.declare import Declaration, catalogue
from tests.engine.catalogue import everything, inputs_of, layers, named, settings_of

FAMILIES = {
    "io", "linear", "convolution", "pooling", "normalisation", "activation", "regularisation", "merge", "recurrent",
    "attention",
}  # fmt: skip
WANTED = """
input output linear conv1d conv2d conv3d depthwise_conv2d conv_transpose2d max_pool1d max_pool2d avg_pool1d avg_pool2d
adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d global_avg_pool flatten reshape permute
upsample zero_pad2d batch_norm1d batch_norm2d layer_norm group_norm instance_norm2d rms_norm relu leaky_relu elu selu
gelu silu mish sigmoid tanh softmax prelu rrelu dropout dropout2d alpha_dropout add multiply average concatenate mean
identity embedding lstm gru multihead_attention transformer_encoder_layer
"""


def test_every_catalogue_file_loads() -> None:
    assert catalogue().problems == []


def test_the_catalogue_holds_the_layers_it_promises_in_known_families() -> None:
    assert set(WANTED.split()) <= {item.type for item in layers()}
    assert {item.family for item in layers()} == FAMILIES


@pytest.mark.parametrize("declaration", **named(everything()))
def test_defaults_are_valid_and_leave_nothing_to_store(declaration: Declaration) -> None:
    assert declaration.clean(declaration.defaults) == ({}, [])
    assert vars(declaration.make()) == declaration.defaults


@pytest.mark.parametrize("declaration", **named(everything()))
def test_help_is_at_least_two_sentences_and_ends_like_one(declaration: Declaration) -> None:
    assert declaration.help.endswith(".")
    assert sum(declaration.help.count(mark) for mark in (". ", ".\n", "; ", ": ")) >= 1
    assert 60 <= len(declaration.help) <= 520, len(declaration.help)


@pytest.mark.parametrize("declaration", **named(everything()))
def test_every_setting_has_help_and_every_number_has_bounds(declaration: Declaration) -> None:
    for param in declaration.params:
        assert len(param.help) >= 10, param.name
        if param.kind in ("int", "float", "size", "padding", "ints"):
            assert param.min is not None, param.name
            assert param.max is not None, param.name
            assert param.max <= 2**24 or param.kind == "float", param.name


@pytest.mark.parametrize("declaration", **named(everything()))
def test_settings_survive_json_and_their_former_names(declaration: Declaration) -> None:
    for settings in settings_of(declaration):
        cleaned, faults = declaration.clean(settings)
        assert faults == []
        assert cleaned == settings
        assert declaration.clean(json.loads(json.dumps(cleaned))) == (cleaned, [])
        for old in declaration.by_name.items():
            assert old[1].name in declaration.defaults


@pytest.mark.parametrize("declaration", **named(everything()))
def test_values_beyond_the_bounds_are_refused(declaration: Declaration) -> None:
    for param in declaration.params:
        if param.kind in ("int", "float"):
            for value in (param.max * 2 + 1, param.min - 1, float("nan"), "many"):  # type: ignore[operator]
                assert declaration.clean({param.name: value})[1], (param.name, value)
    assert declaration.clean({"no_such_setting": 1})[1]


@pytest.mark.parametrize("declaration", **named(everything()))
def test_the_second_line_on_the_canvas_is_short(declaration: Declaration) -> None:
    for settings in settings_of(declaration):
        detail = declaration.detail(settings)
        assert len(detail) <= 28, detail
        assert detail == detail.strip()


def test_search_finds_each_layer_by_what_torch_and_keras_call_it() -> None:
    keras = {
        "Dense": "linear", "Conv2DTranspose": "conv_transpose2d", "MaxPooling2D": "max_pool2d",
        "GlobalAveragePooling2D": "global_avg_pool", "SpatialDropout2D": "dropout2d", "ZeroPadding2D": "zero_pad2d",
        "LayerNormalization": "layer_norm", "MultiHeadAttention": "multihead_attention", "swish": "silu",
    }  # fmt: skip
    torch_names = {
        "Conv2d": "conv2d",
        "BatchNorm2d": "batch_norm2d",
        "LSTM": "lstm",
        "AdaptiveAvgPool1d": "adaptive_avg_pool1d",
    }
    for word, wanted in (keras | torch_names).items():
        found = [
            item.type
            for item in layers()
            if word.lower() in " ".join((item.type, item.title, *item.search, *item.was)).lower()
        ]
        assert wanted in found, word
        assert len(found) <= 3, (word, found)


def test_titles_and_type_names_are_unique_within_a_kind() -> None:
    for kind in {item.kind for item in everything()}:
        found = catalogue().all(kind).values()
        words = [word for item in found for word in (item.type, *item.was)]
        assert len(words) == len(set(words)), kind
        assert len({item.title for item in found}) == len(found), kind


@pytest.mark.parametrize("declaration", **named(layers()))
def test_every_layer_accepts_at_least_one_sample_with_its_defaults(declaration: Declaration) -> None:
    assert declaration.accepts in ACCEPTED
    assert inputs_of(declaration, declaration.make())
