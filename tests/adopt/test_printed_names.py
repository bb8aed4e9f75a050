"""What is only printed is told apart from what trains."""

from __future__ import annotations

import pytest

from novum.adopt.printed_names import printed_names


def names(text: str, **others: str) -> list[str]:
    return printed_names({"train.py": text, **{f"{name}.py": other for name, other in others.items()}})


def test_a_running_mean_of_the_loss_and_a_clock_are_only_printed():
    text = """
import time
smoothed, started = 4.0, time.time()
for step in range(9):
    loss = model(step)
    loss.backward()
    smoothed = 0.95 * smoothed + 0.05 * loss.item()
    if step % 3 == 0:
        print(f"step {step}: {smoothed} after {time.time() - started} s")
"""
    assert names(text) == ["train.py: smoothed", "train.py: started"]


def test_names_of_functions_carry_their_function():
    text = "def main():\n    total = 0.0\n    for x in data:\n        total += x.item()\n"
    text += "    mean = total / 3\n    print(mean)\n"
    assert names(text) == ["train.py: main.mean", "train.py: main.total"]


@pytest.mark.parametrize(
    "text",
    [
        # it stops the run
        "best = 9.0\nfor x in data:\n    best = min(best, x)\n    if best < 1:\n        break\nprint(best)\n",
        "loss = train_step()\nprint(loss)\n",  # what sets it trains
        "acc, loss = 1.0, 2.0\nloss.backward()\nprint(acc)\n",  # set beside something that trains
        "rate = 0.1\nprint(rate)\noptimizer = SGD(lr=rate)\n",
        # used in another scope
        "count = 0\ndef log():\n    global count\n    count += 1\n    step(count)\nprint(count)\n",
        "unused = 3\n",  # nothing prints it
        "total = 1.0\ntable[0] = total\nprint(total)\n",
        "import other\ndel x\n",
    ],
)
def test_what_else_is_read_is_left_alone(text):
    assert names(text) == []


def test_a_name_that_another_module_reads_is_left_alone():
    text = "LEVEL = 2.0\nprint(LEVEL)\n"
    assert names(text) == ["train.py: LEVEL"]
    assert names(text, model="from train import LEVEL\nx = LEVEL\n") == []


def test_what_cannot_be_parsed_has_none():
    assert names("x = = 1\n") == []
