"""Edits that a practitioner tries on a PyTorch training: each runs, changes what is trained, and comes once."""

from __future__ import annotations

import contextlib
import io
import warnings

import pytest

from novum.source.rewrites import rewrites

SCRIPT = """
import torch, torch.nn as nn, torch.nn.functional as F

torch.manual_seed(0)
x, y = torch.randn(64, 6), torch.randint(0, 3, (64,))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 8)
        self.inner = nn.Linear(8, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, inputs):
        hidden = F.relu(self.first(inputs))
        hidden = hidden + self.inner(hidden)
        return self.head(hidden)


model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(12):
    rows = torch.randint(0, 64, (16,))
    loss = F.cross_entropy(model(x[rows]), y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
with torch.no_grad():
    final = F.cross_entropy(model(x), y).item()
print(f"val loss {final:.9f}")
"""
WANTED = {"rewrite.optimiser", "rewrite.schedule", "rewrite.clip", "rewrite.initial", "rewrite.weight_decay",
          "rewrite.average", "rewrite.label_smoothing"}  # fmt: skip


def printed(text: str) -> str:
    said = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(said):
        warnings.simplefilter("ignore")
        exec(compile(text, "train.py", "exec"), {"__name__": "__main__"})
    return said.getvalue()


def test_each_runs_and_nearly_all_change_the_result():
    pytest.importorskip("torch")
    base = printed(SCRIPT)
    found = rewrites(SCRIPT, "train.py")
    kinds = {one.operator for one in found}
    assert kinds >= WANTED, (WANTED - kinds, kinds)
    same = [one.words for one in found if printed(one.apply(SCRIPT)) == base]
    assert len(same) <= len(found) / 10, same


def test_none_is_offered_again_once_it_is_there():
    for one in rewrites(SCRIPT, "train.py"):
        after = one.apply(SCRIPT)
        assert after not in {other.apply(after) for other in rewrites(after, "train.py")}, one.words


def test_a_file_without_training_gets_none_of_them():
    text = "import torch\n\n\ndef evaluate(model, x, y):\n    return torch.nn.functional.cross_entropy(model(x), y)\n"
    assert not {one.operator for one in rewrites(text, "eval.py")} & WANTED
