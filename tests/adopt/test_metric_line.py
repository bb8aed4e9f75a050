"""Scores in what runs print, in the ways of well-known scripts."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.adopt.metrics.metric_line import find_metrics
from novum.adopt.metrics.metric_names import higher_is_better, is_metric
from novum.arenas.program.manifest import Report
from novum.arenas.program.printed_score import printed_score
from novum.sandbox.output_text import clean

NANO_GPT = """\
tokens per iteration will be: 491,520
found vocab_size = 65 (inside data/shakespeare_char/meta.pkl)
number of parameters: 10.65M
num decayed parameter tensors: 26, with 10,740,096 parameters
using fused AdamW: True
step 0: train loss 4.2874, val loss 4.2823
iter 0: loss 4.2650, time 31619.67ms, mfu -100.00%
iter 10: loss 3.2438, time 22.53ms, mfu 16.54%
step 250: train loss 1.9612, val loss 2.0638
saving checkpoint to out
iter 250: loss 2.0438, time 4431.53ms, mfu 16.54%
"""
MIN_CHAR = """\
data has 1115394 characters, 65 unique.
----
 hT3 q.0 sCz1
----
iter 0, loss: 104.359690
iter 100, loss: 104.615212
"""
MICROGRAD = "step 0 loss 0.8958441028683222, accuracy 50.0%\nstep 99 loss 0.011, accuracy 100.0%\n"
MIN_GPT = """\
iter_dt 0.00ms; iter 0: train loss 1.06407
iter_dt 18.17ms; iter 100: train loss 0.14712
test final score: 483/500 = 96.60% correct
"""
KERAS = """\
Epoch 1/2
\r  1/469 [..............................] - ETA: 1:02 - loss: 2.3 - accuracy: 0.1\r469/469 - 2s 4ms/step - \
loss: 0.3620 - accuracy: 0.8949 - val_loss: 0.1826 - val_accuracy: 0.9467
Epoch 2/2
469/469 - 1s 3ms/step - loss: 0.1620 - accuracy: 0.9549 - val_loss: 0.1226 - val_accuracy: 0.9667 - lr: 0.0010
Test loss: 0.1226
Test accuracy: 0.9667
"""
LIGHTNING = """\
Epoch 0: 100%|██████████| 938/938 [00:05<00:00, 160.23it/s, v_num=0, train_loss=0.101, val_acc=0.961]
Epoch 1: 100%|██████████| 938/938 [00:05<00:00, 160.23it/s, v_num=0, train_loss=0.090, val_acc=0.971]
┏━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
│        test_acc           │    0.9732000231742859     │
│        test_loss          │    0.08901                │
"""
PYTORCH = """\
Train Epoch: 1 [0/60000 (0%)]\tLoss: 2.305400
Train Epoch: 1 [640/60000 (1%)]\tLoss: 1.359776

Test set: Average loss: 0.0489, Accuracy: 9836/10000 (98%)

Test set: Average loss: 0.0289, Accuracy: 9904/10000 (99%)
"""
TUTORIAL = "[1,  2000] loss: 2.204\n[2, 12000] loss: 1.290\nAccuracy of the network on the 10000 test images: 53 %\n"
SKLEARN = """\
              precision    recall  f1-score   support
           0       1.00      0.97      0.98        33
    accuracy                           0.97       360
   macro avg       0.97      0.97      0.97       360
Mean CV accuracy: 0.953 (+/- 0.021)
F1 = 0.91
R^2: 0.87
ROC AUC: 0.9912
"""
TRAINER = """\
{'loss': 0.52, 'learning_rate': 3e-05, 'epoch': 1.0}
{'eval_loss': 0.41, 'eval_accuracy': 0.83, 'eval_runtime': 3.4, 'eval_samples_per_second': 100.3, 'epoch': 1.0}
{'train_runtime': 30.3, 'train_samples_per_second': 9.1, 'train_loss': 0.44, 'epoch': 1.0}
"""
BOOST = "[0]\ttrain-rmse:0.52\ttest-rmse:0.61\n[99]\ttrain-rmse:0.11\ttest-rmse:0.31\n"
GBM = "[100]\tvalid_0's binary_logloss: 0.21\n[200]\tvalid_0's binary_logloss: 0.19\n"
CLEAN_RL = "global_step=204, episodic_return=[22.]\nglobal_step=410, episodic_return=[31.5]\nSPS: 2300\n"
COLOURED = "\x1b[32mval loss\x1b[0m: \x1b[1m0.52\x1b[0m\n"
SPEEDRUN = "step:5100/5100 val_loss:3.2790 train_time:1020ms step_avg:0.2ms\npeak memory allocated: 3000 MiB\n"
RESEARCH = "---\nval_bpb:          0.997900\ntraining_seconds: 300.1\ntotal_tokens_M:   499.6\nnum_params_M:     50.3\n"

BEST = [
    (NANO_GPT, "val loss", 2.0638, False), (MIN_CHAR, "loss", 104.615212, False),
    (MICROGRAD, "accuracy", 100.0, True),
    (MIN_GPT, "test final score", 96.6, True), (KERAS, "Test accuracy", 0.9667, True),
    (LIGHTNING, "test_acc", 0.9732000231742859, True),
    (PYTORCH, "Test set Accuracy", 99.0, True),
    (TUTORIAL, "Accuracy of the network on the 10000 test images", 53.0, True),
    (SKLEARN, "Mean CV accuracy", 0.953, True), (TRAINER, "eval_accuracy", 0.83, True),
    (BOOST, "test-rmse", 0.31, False),
    (GBM, "valid_0's binary_logloss", 0.19, False), (CLEAN_RL, "episodic_return", 31.5, True),
    (COLOURED, "val loss", 0.52, False),
    (SPEEDRUN, "val_loss", 3.279, False), (RESEARCH, "val_bpb", 0.9979, False),
    ("test accuracy = 97.3%", "test accuracy", 97.3, True), ("final val loss (nats) 1.83",
    "final val loss", 1.83, False),
    ("Epoch 3/5 - acc: 0.93 - val_acc: 0.91", "val_acc", 0.91, True),
    ('{"step": 3, "val_loss": 1.9}', "val_loss", 1.9, False),
    ("loss: tensor(1.83, device='cuda:0')", "loss", 1.83, False), ("val loss np.float64(1.5)",
    "val loss", 1.5, False),
    ("epoch 3 | loss 0.51 | val ppl 12.25 | 3.1s", "val ppl", 12.25, False), ("The final accuracy is 0.5.",
    "The final accuracy", 0.5, True),
    ("hit@10: 0.7", "hit@10", 0.7, True), ("neg_mean_squared_error score: -0.5",
    "neg_mean_squared_error score", -0.5, True),
    ("Test - loss: 0.5", "Test loss", 0.5, False), ("INFO:root:val_f1=0.8", "val_f1", 0.8, True),
    ("2024-01-02 10:11:12,345 INFO val_loss: 0.25", "INFO val_loss", 0.25, False),
]  # fmt: skip


def read_metric(metric, output):
    """As the arena reads it."""
    return printed_score(Report(pattern=metric.pattern, take=metric.take), clean(output))


@pytest.mark.parametrize(("output", "name", "value", "higher"), BEST, ids=[one[1] for one in BEST])
def test_the_result_is_the_likeliest(output, name, value, higher):
    first = find_metrics(output)[0]
    assert (first.name, first.values[-1], first.higher_is_better, first.rank) == (name, value, higher, 0)
    assert read_metric(first, output) == value


def names(output):
    return {one.name: one.values for one in find_metrics(output)}


def test_all_scores_are_found_each_with_its_values():
    assert names(NANO_GPT) == {
        "train loss": (4.2874, 1.9612), "val loss": (4.2823, 2.0638), "loss": (4.265, 3.2438, 2.0438),
    }  # fmt: skip
    assert names(MICROGRAD) == {"loss": (0.8958441028683222, 0.011), "accuracy": (50.0, 100.0)}
    assert names(KERAS)["val_loss"] == (0.1826, 0.1226)
    assert names(KERAS)["loss"] == (2.3, 0.362, 0.162)
    assert names(PYTORCH)["Test set Average loss"] == (0.0489, 0.0289)
    assert names(TRAINER) == {"loss": (0.52,), "eval_loss": (0.41,), "eval_accuracy": (0.83,), "train_loss": (0.44,)}
    assert names(SKLEARN) == {
        "accuracy": (0.97,),
        "Mean CV accuracy": (0.953,),
        "F1": (0.91,),
        "R^2": (0.87,),
        "ROC AUC": (0.9912,),
    }
    assert names(RESEARCH) == {"val_bpb": (0.9979,)}


@pytest.mark.parametrize(
    "line",
    [
        "step 500", "Epoch 3/5", "time: 3.2s", "elapsed 12.5 seconds", "lr: 0.001", "learning rate = 3e-4",
        "loss_scale: 1024.0",
        "memory: 300 MB", "tokens/s: 1000", "number of parameters: 10.65M", "num_params 1000", "n_errors: 3",
        "score_time: 0.3",
        "Error 404", "precision=16", "number of errors 3", "loss_weight=0.5", "label_smoothing=0.1", "batch 12",
        "eval_runtime: 3.4",
        "| 3 | 0.91 |", "GPU 0 85%", "100%|█████| 10/10", "2024-01-02", "val 3", "early stopping patience 5",
        "acc_std: 0.02",
        "seed 1337", "eta: 0:01:02", "loss: 12s", "loss is not a number: no", "reward_scale=0.1", "",
        "target loss 3.28",
        "learning rate and loss weight 3", "v_num=0, version=1", "an accuracy that rose",
        "Namespace(lr=0.1, loss='mse', epochs=3)",
    ],
)  # fmt: skip
def test_what_is_no_score_is_not_found(line):
    assert find_metrics(line) == []


def test_values_that_are_no_numbers_are_values():
    (found,) = find_metrics("val loss: 1.5\nval loss: nan\n")
    assert math.isnan(found.values[-1])
    assert math.isnan(read_metric(found, "val loss: NaN"))
    assert read_metric(found, "val loss: inf") == math.inf
    assert read_metric(found, "val loss: 1.2e-05,") == 1.2e-05
    assert read_metric(found, "val loss: -3") == -3
    assert read_metric(found, "no such line") is None


def test_a_pattern_finds_what_later_runs_print():
    found = {one.name: one for one in find_metrics(PYTORCH)}
    assert read_metric(found["Test set Accuracy"], "Test set: Average loss: 0.1, Accuracy: 17/20 (85%)") == 85
    assert read_metric(found["Test set Accuracy"], "Train set: Average loss: 0.1, Accuracy: 17/20 (85%)") is None
    loss = {one.name: one for one in find_metrics(NANO_GPT)}["loss"]
    assert (
        read_metric(loss, "step 3: train loss 1, val loss 2\niter 3: loss 9.5, time 1ms\nstep 4: train loss 8") == 9.5
    )


def test_the_best_of_a_run_is_taken_where_its_name_says_so():
    assert find_metrics("best acc: 0.5\nbest acc: 0.7\nbest acc: 0.6\n")[0].take == "max"
    assert find_metrics("best val loss 0.5\nbest val loss 0.4\n")[0].take == "last"
    some, hurt, ways = "a 3\na 1\na 2\n", "a 3\na nan\na 1\na 2\n", ("min", "max", "mean")
    reports = [Report(pattern=r"a (\S+)", take=one) for one in ways]
    assert [printed_score(one, some) for one in reports] == [1.0, 3.0, 2.0]
    assert all(math.isnan(printed_score(one, hurt)) for one in reports)
    assert printed_score(Report(pattern=r"a (\S+)"), hurt) == 2.0
    assert printed_score(Report(pattern=r"a (\S+)"), "") is None


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("val_loss", False), ("perplexity", False), ("valAccuracy", True), ("word error rate", False),
        ("val/bpb", False),
        ("hit rate", True), ("negative log likelihood", False), ("neg_log_loss", True), ("top-1 accuracy", True),
        ("recall@5", True),
        ("steps", None), ("acc1", True), ("rmse", False), ("mAP", True),
    ],
)  # fmt: skip
def test_which_way_is_better(name, better):
    assert higher_is_better(name) is better
    assert is_metric(name) == (better is not None)


@given(st.lists(st.sampled_from(
    ["val", "loss", " ", ": ", "=", "0.5", "12", "-", "/", "(", ")", "[", "acc", "\r", "\n", "%", "test", ".", "e-3",
     "nan", "of", "|", "\x1b["]
), max_size=40).map("".join))  # fmt: skip
def test_what_is_found_is_what_its_pattern_finds(output):
    for rank, metric in enumerate(find_metrics(output)):
        assert metric.rank == rank
        assert metric.occurrences == len(metric.values) > 0
        last = read_metric(metric, output)
        assert (
            last == metric.values[-1] or (math.isnan(last) and math.isnan(metric.values[-1])) or metric.take != "last"
        )


def test_long_outputs_take_little_time():
    began = time.process_time()
    find_metrics(NANO_GPT * 400)
    find_metrics("loss" * 20_000 + " 1" * 2_000)
    find_metrics(("(" * 200 + "1 ") * 500)
    assert time.process_time() - began < 5
