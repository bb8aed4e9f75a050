"""Ranges of settings by their names: what is varied, how far, and what is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.adopt.range_rules import RULES
from novum.adopt.value_range import suggested
from novum.source.declared.declaration import Declared
from novum.source.declared.declarations import declared


def setting(name, value, choices=(), how="argument", place=""):
    return Declared(place or name, name, value, 0, 1, how, choices)


def suggestion(name, value, **more):
    return suggested(setting(name, value, **more))


@pytest.mark.parametrize(
    ("name", "value", "low", "high", "log"),
    [
        ("learning_rate", 3e-4, 1e-5, 0.01, True), ("lr", 0.1, 0.003, 3.0, True), ("max-lr", 6e-4, 3e-5, 0.03, True),
        ("learningRate", 1e-3, 3e-5, 0.03, True), ("min_lr", 6e-5, 3e-6, 3e-3, True),
        ("weight_decay", 0.1, 0.003, 3.0, True), ("adam_eps", 1e-8, 1e-10, 1e-6, True),
        ("beta1", 0.9, 0.5, 0.9999, False), ("momentum", 0.9, 0.5, 0.9999, False),
        ("ema_decay", 0.9999, 0.5, 0.99999, False),
        ("gamma", 0.99, 0.5, 0.9999, False), ("gamma", 0.001, 3e-5, 0.03, True), ("momentum", 0.0, 0.0, 0.99, False),
        ("dropout", 0.2, 0.0, 0.6, False), ("label_smoothing", 0.0, 0.0, 0.6, False),
        ("warmup_ratio", 0.1, 0.0, 0.6, False),
        ("subsample", 1.0, 0.1, 1.0, False), ("hidden_dropout_prob", 0.1, 0.0, 0.6, False),
        ("n_layer", 4, 1, 12, False), ("max_depth", 5, 1, 15, False), ("num_layers", 1, 1, 3, False),
        ("grad_clip", 1.0, 0.05, 10.0, True), ("gradient_clip_val", 20.0, 0.05, 60.0, True),
        ("clip_coef", 0.2, 0.05, 0.5, False),
        ("max_iters", 600, 150, 2400, True), ("epochs", 10, 2, 40, True), ("n_estimators", 100, 25, 400, True),
        ("num_train_epochs", 3.0, 0.75, 12.0, True), ("C", 1.0, 0.03, 30.0, True),
        ("lr_decay_iters", 600, 150, 2400, True),
        ("ent_coef", 0.01, 3e-4, 0.3, True), ("temperature", 1.0, 0.1, 10.0, True), ("n_neighbors", 5, 1, 20, False),
    ],
)  # fmt: skip
def test_numbers_between(name, value, low, high, log):
    found = suggestion(name, value)
    assert (found.low, found.high, found.log, found.choices) == (low, high, log, ())


@pytest.mark.parametrize(
    ("name", "value", "choices"),
    [
        ("batch_size", 64, (16, 32, 64, 128, 256)), ("n_embd", 384, (96, 192, 384, 768, 1536)),
        ("hidden_size", 100, (25, 50, 100, 200, 400)), ("block_size", 8, (2, 4, 8, 16, 32)), ("n_head", 1, (1, 2, 4)),
        ("kernel_size", 3, (1, 3, 5, 7)), ("weight_decay", 0.0, (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)),
        ("grad_clip", 0.0, (0.0, 0.1, 0.5, 1.0, 5.0)), ("decay_lr", True, (False, True)),
        ("bias", False, (False, True)),
    ],
)  # fmt: skip
def test_numbers_and_switches_of_which_there_are_few(name, value, choices):
    assert suggestion(name, value).choices == choices


def test_names_are_varied_where_their_choices_are_known():
    assert suggestion("optimizer", "adam", choices=("adam", "sgd")).choices == ("adam", "sgd")
    assert suggestion("model", "cnn", choices=("cnn", "mlp")).cost
    assert suggestion("optimizer", "adam") is None
    assert suggestion("dataset", "mnist", choices=("mnist", "cifar")) is None
    assert suggestion("depth", 2, choices=(2, 4, 8)).choices == (2, 4, 8)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", 1), ("random_state", 0), ("port", 8080), ("local_rank", 0), ("num_workers", 4), ("n_jobs", -1),
        ("log_interval", 10), ("eval_iters", 200), ("eval_interval", 500), ("save_every", 100), ("test_size", 0.2),
        ("val_fraction", 0.1), ("train_ratio", 0.9), ("verbose", True), ("compile", True), ("wandb_log", False),
        ("plot", True), ("resume", False), ("download", True), ("eval_batch_size", 64), ("vocab_size", 65),
        ("num_classes", 10), ("version", 1.0), ("year", 2024), ("sample_temperature", 0.8), ("generate_length", 100),
        ("max_new_tokens", 500), ("top_k", 200), ("number", 3), ("x", 2.5), ("timeout", 30), ("no_cuda", False),
        ("input_dim", 784), ("num_samples", 10), ("device", "cpu"), ("always_save_checkpoint", True), ("n_splits", 5),
        ("lr", -1.0), ("lr", 0), ("momentum", 0), ("dropout", 1), ("batch_size", -1), ("epochs", 0),
        ("grad_clip", -1.0),
    ],
)  # fmt: skip
def test_what_is_no_hyper_parameter_has_no_range(name, value):
    assert suggestion(name, value) is None


def test_where_a_setting_stands_says_what_it_is():
    assert suggestion("temperature", 0.8, how="key", place="sampling.temperature") is None
    assert suggestion("steps", 100, how="key", place="eval.steps") is None
    assert suggestion("steps", 100, how="key", place="train.steps").cost
    sampler = declared("num_samples = 10\nmax_new_tokens = 500\ntemperature = 0.8\ntop_k = 200\n", "sample.py")
    assert [suggested(one, sampler) for one in sampler] == [None] * 4


def test_every_number_of_heads_divides_every_width():
    both = declared("n_head = 6\nn_embd = 384\ndropout = 0.2\n", "a.py")
    heads, width = (suggested(one, both) for one in both[:2])
    assert heads.choices == (2, 3, 4, 6, 8, 12, 16, 24)
    assert 384 in width.choices
    assert all(one % 6 == 0 for one in width.choices)


def test_warm_up_is_no_longer_than_the_run():
    both = declared("max_iters = 600\nwarmup_iters = 100\nepochs = 5\nwarmup_epochs = 1\n", "a.py")
    found = {one.name: suggested(one, both) for one in both}
    assert (found["warmup_iters"].low, found["warmup_iters"].high) == (0, 600)
    assert (found["warmup_epochs"].low, found["warmup_epochs"].high) == (0, 5)


NANO = """\
out_dir = 'out'
eval_interval = 2000
log_interval = 1
eval_only = False # if True, script exits right after the first eval
wandb_log = False
gradient_accumulation_steps = 5 * 8
batch_size = 12
block_size = 1024
n_layer = 12
n_head = 12
n_embd = 768
dropout = 0.0
bias = False
learning_rate = 6e-4
max_iters = 600000
weight_decay = 1e-1
beta1 = 0.9
grad_clip = 1.0
decay_lr = True
warmup_iters = 2000
lr_decay_iters = 600000
min_lr = 6e-5
backend = 'nccl'
"""


def test_a_well_known_script_is_varied_where_its_author_would():
    found = declared(NANO, "train.py")
    ranges = {one.name: range_ for one in found if (range_ := suggested(one, found))}
    assert set(ranges) == {
        "gradient_accumulation_steps", "batch_size", "block_size", "n_layer", "n_head", "n_embd", "dropout", "bias",
        "learning_rate", "max_iters", "weight_decay", "beta1", "grad_clip", "decay_lr", "warmup_iters",
        "lr_decay_iters", "min_lr",
    }  # fmt: skip
    assert min(ranges, key=lambda name: ranges[name].rank) == "learning_rate"
    assert {name for name, one in ranges.items() if one.cost} == {
        "gradient_accumulation_steps", "batch_size", "block_size", "n_layer", "n_embd", "max_iters",
    }  # fmt: skip


NAMES = st.sampled_from(
    [
        "lr",
        "weight_decay",
        "eps",
        "beta1",
        "momentum",
        "dropout",
        "batch_size",
        "n_embd",
        "n_head",
        "n_layer",
        "lam",
        "max_iters",
        "warmup_iters",
        "grad_clip",
        "C",
        "alpha",
        "gamma",
        "temperature",
        "init_std",
        "n_neighbors",
        "kernel_size",
        "lr_decay",
        "clip_range",
        "subsample",
    ]
)


@given(NAMES, st.one_of(st.integers(-10, 10**9), st.floats(-1, 1e6), st.floats(1e-12, 1)))
def test_the_present_value_is_in_its_range(name, value):
    found = suggestion(name, value)
    if found is None:
        return
    if found.choices:
        assert value in found.choices
        assert len(set(found.choices)) > 1
        assert {type(one) for one in found.choices} == {type(value)}
    else:
        assert found.low <= value <= found.high
        assert found.low < found.high
        assert not found.log or found.low > 0
        if isinstance(value, float) and found.log:
            assert found.low < value < found.high
        if isinstance(value, int):
            assert isinstance(found.low, int)
            assert isinstance(found.high, int)


def test_every_kind_is_said_in_words():
    assert all(rule.why and 0 <= rule.rank <= 7 for rule in RULES)


def test_a_script_without_constants_has_settings_too():
    text = "m = RandomForestClassifier(n_estimators=100, max_depth=5, random_state=0, n_jobs=2)\nm.fit(x, y)\n"
    assert {one.name for one in declared(text, "a.py") if suggested(one)} == {"n_estimators", "max_depth"}
