"""Descent on plain lists: what a step makes anew from itself is trained, and what it is made with stays open."""

from __future__ import annotations

from novum.adopt.evaluation_slice import find_evaluation

LISTS = """
LR = 0.01
MOMENTUM = 0.5

def loss(w):
    return sum(x * x for x in w)

w, v = [1.0] * 3, [0.0] * 3
for step in range(10):
    g = [2 * x for x in w]
    v = [MOMENTUM * a + b for a, b in zip(v, g)]
    w = [x - LR * a for x, a in zip(w, v)]
print("final loss", loss(w))
"""


def test_what_a_list_is_stepped_with_is_not_evaluation():
    found = find_evaluation({"t.py": LISTS}, "final loss")
    assert "t.py: loss" in found.functions
    assert not {"t.py: LR", "t.py: MOMENTUM", "t.py: v", "t.py: g"} & set(found.names)


def test_a_list_that_is_only_filtered_is_still_evaluation():
    text = "losses = load()\nlosses = [one for one in losses if one]\nprint('loss', sum(losses))\n"
    assert "t.py: losses" in find_evaluation({"t.py": text}, "loss").names
