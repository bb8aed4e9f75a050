"""Rewrites of training scripts: products run, train differently, and are not offered for what they brought in."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator

import pytest
import torch

from novum.source.mutate import all_rewrites, product
from novum.source.program_text import Mutation
from novum.source.rewrites import rewrites
from novum.source.space import SourceSpace

HEAD = """\
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
X = 4 * torch.randn(24, 6)
Y = (X[:, 0] * X[:, 1] > 0).long()
"""
SEQUENCE = (
    HEAD
    + """\
BATCH_SIZE = 8
STEPS = 12
model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
for step in range(1, STEPS + 1):
    rows = torch.randint(24, (BATCH_SIZE,))
    loss = F.cross_entropy(model(X[rows]), Y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
model.eval()
with torch.no_grad():
    print("loss", F.cross_entropy(model(X), Y).item())
"""
)
EPOCHS = (
    HEAD
    + """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(6, 8)
        self.fc2 = nn.Linear(8, 8)
        self.out = nn.Linear(8, 2)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = x + self.fc2(x)
        return self.out(x)


def train(model, loader, opt, criterion):
    for x, y in loader:
        opt.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        opt.step()


def test(model, criterion):
    model.eval()
    with torch.no_grad():
        return criterion(model(X), Y).item()


def main(lr=0.02):
    loader = [(X[i : i + 6], Y[i : i + 6]) for i in range(0, 24, 6)]
    model = Net()
    criterion = nn.CrossEntropyLoss()
    opt = torch.optim.SGD(model.parameters(), lr=lr, weight_decay=0.01)
    for _ in range(4):
        train(model, loader, opt, criterion)
    print("loss", test(model, criterion))


main()
"""
)
ATTENTION = (
    HEAD
    + """\
class Attention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        return self.proj(F.scaled_dot_product_attention(q, k, v, is_causal=True))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.attn = Attention(width)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, x):
        x = self.norm1(x + self.attn(x))
        x = self.norm2(x + self.mlp(x))
        return x


class Model(nn.Module):
    def __init__(self, tokens, width):
        super().__init__()
        self.embed = nn.Embedding(tokens, width)
        self.block = Block(width)
        self.head = nn.Linear(width, tokens)

    def forward(self, x, targets):
        logits = self.head(self.block(self.embed(x)))
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


words = torch.randint(11, (16, 5))
model = Model(11, 8)
opt = torch.optim.AdamW(model.parameters(), 0.01, betas=(0.9, 0.98))
for epoch in range(3):
    for i in range(0, 16, 4):
        opt.zero_grad()
        loss = model(words[i : i + 4, :-1], words[i : i + 4, 1:])
        loss.backward()
        opt.step()
model.eval()
with torch.no_grad():
    print("loss", model(words[:, :-1], words[:, 1:]).item())
"""
)
HAND = (
    HEAD
    + """\
w = torch.zeros(6, 2)
b = torch.zeros(2)
parameters = [w, b]
for p in parameters:
    p.requires_grad = True
for i in range(10):
    loss = F.cross_entropy(X @ w + b, Y)
    for p in parameters:
        p.grad = None
    loss.backward()
    lr = 0.5 if i < 8 else 0.05
    for p in parameters:
        p.data += -lr * p.grad
print("loss", F.cross_entropy(X @ w + b, Y).item())
"""
)
ADAGRAD = """\
import numpy as np

rng = np.random.RandomState(0)
x, y = rng.randn(30, 4), rng.randn(30)
rate = 0.1
w, b = np.zeros(4), np.zeros(1)
mw, mb = np.zeros_like(w), np.zeros_like(b)
for n in range(20):
    miss = x @ w + b - y
    dw, db = x.T @ miss * 10, np.array([miss.sum()]) * 10
    for grad in [dw, db]:
        np.clip(grad, -5, 5, out=grad)
    for param, dparam, mem in zip([w, b], [dw, db], [mw, mb]):
        mem += dparam * dparam
        param += -rate * dparam / np.sqrt(mem + 1e-8)
print("loss", ((x @ w + b - y) ** 2).mean())
"""
SCRIPTS = {"sequence": SEQUENCE, "epochs": EPOCHS, "attention": ATTENTION, "hand": HAND, "adagrad": ADAGRAD}
AGAIN = {"rewrite.longer", "rewrite.batch"}
"""What multiplies a number, and so can be done twice."""


def run(text: str) -> float:
    """The loss that a script prints last."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(text, "train.py", "exec"), {"__name__": "__main__"})
    return float(out.getvalue().split()[-1])


def found(text: str) -> list[Mutation]:
    return [one for one in rewrites(text, "train.py") if one.operator != "rewrite.longer"]


def operators(text: str) -> set[str]:
    return {one.operator.removeprefix("rewrite.") for one in found(text)}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_every_product_runs_and_trains_differently(name):
    text = SCRIPTS[name]
    before = run(text)
    for rewrite in found(text):
        after = run(rewrite.apply(text))
        assert after == after, rewrite.words
        assert after != before, rewrite.words


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_every_product_passes_the_static_checks(name):
    space = SourceSpace({"train.py": SCRIPTS[name]})
    assert all(product(space, {}, [rewrite]) for rewrite in all_rewrites(space, {}))


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_no_product_is_offered_its_own_rewrite_again(name):
    for rewrite in (one for one in found(SCRIPTS[name]) if one.operator not in AGAIN):
        made = rewrite.apply(SCRIPTS[name])
        again = {(one.operator, one.note) for one in found(made)}
        assert (rewrite.operator, rewrite.note) not in again, rewrite.words


def test_the_library_covers_what_is_tried_first_on_a_training_script():
    assert operators(SEQUENCE) == {
        *("activation", "add_norm", "average", "batch", "betas", "clip", "dropout", "initial", "label_smoothing"),
        *("optimiser", "schedule", "weight_decay", "zero_output"),
    }
    assert operators(EPOCHS) - operators(SEQUENCE) == {
        *("branch_scale", "matrix_decay", "norm_before", "small_branch", "torch_momentum", "zero_branch"),
    }
    assert operators(ATTENTION) - operators(SEQUENCE) - operators(EPOCHS) == {"norm", "query_norm", "tie"}
    assert operators(HAND) == {"optimiser"}
    assert operators(ADAGRAD) == {"adam", "clip", "decay", "forgetting"}


LOOPS = {
    "range": "for i in range(20):\n    BODY",
    "unnamed": "for _ in range(20):\n    BODY",
    "from one": "n = 20\nfor i in range(1, n + 1):\n    BODY",
    "from zero": "n = 20\nfor i in range(0, n):\n    BODY",
    "nested": "for epoch in range(4):\n    for i in range(0, 25, 5):\n        BODY",
    "loader": "loader = [0] * 5\nfor epoch in range(4):\n    for x in loader:\n        BODY",
    "pairs": "loader = [(0, 0)] * 5\nfor epoch in range(4):\n    for x, y in loader:\n        BODY",
    "enumerated": "loader = [0] * 5\nfor epoch in range(4):\n    for i, x in enumerate(loader):\n        BODY",
    "while": "i = 0\nwhile i < 20:\n    BODY\n    i += 1",
    "broken off": "i = 0\nwhile True:\n    BODY\n    i += 1\n    if i >= 20:\n        break",
    "step function": "def update(opt):\n    BODY\n\n\nfor i in range(20):\n    update(opt)",
    "seeds": "for seed in range(3):\n    OPT\n    for i in range(20):\n        BODY",
}
RATES = """\
import torch

w = torch.zeros(2, requires_grad=True)
rates = []


class Recorded(torch.optim.SGD):
    def step(self):
        rates.append(self.param_groups[0]["lr"])
        super().step()


torch.optim.SGD = Recorded
OPT
LOOP
print(*rates)
"""


def in_loop(loop: str) -> str:
    lines = []
    for line in RATES.replace("LOOP", loop).split("\n"):
        pad = line[: len(line) - len(line.lstrip())]
        body = "(w**2).sum().backward()", "opt.step()", "opt.zero_grad()"
        lines.append(line.replace("BODY", f"\n{pad}".join(body)))
    return "\n".join(lines).replace("OPT", "opt = torch.optim.SGD([w], lr=2.0)")


@pytest.mark.parametrize("name", sorted(LOOPS))
def test_a_schedule_covers_the_whole_run_whatever_its_loop(name, monkeypatch):
    monkeypatch.setattr(torch.optim, "SGD", torch.optim.SGD)
    text = in_loop(LOOPS[name])
    schedules = {one.note: one for one in rewrites(text, "train.py") if one.operator == "rewrite.schedule"}
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(schedules["lets the rate fall linearly to zero"].apply(text), "train.py", "exec"), {})
    rates = [float(part) for part in out.getvalue().split()]
    assert len(rates) == (60 if name == "seeds" else 20)
    assert rates[:20] == pytest.approx([2.0 * (1 - step / 20) for step in range(20)])
    assert rates[-20:] == pytest.approx(rates[:20])


def test_a_warm_up_starts_low_and_reaches_the_rate(monkeypatch):
    monkeypatch.setattr(torch.optim, "SGD", torch.optim.SGD)
    text = in_loop(LOOPS["range"].replace("20", "100"))
    schedules = {one.note: one for one in rewrites(text, "train.py") if one.operator == "rewrite.schedule"}
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(schedules["warms up"].apply(text), "train.py", "exec"), {})
    rates = [float(part) for part in out.getvalue().split()]
    assert rates[0] == pytest.approx(0.1)
    assert rates == sorted(rates)
    assert rates[5:] == [2.0] * 95


RUN_EPOCH = """\
def run_epoch(model, loader, opt, train):
    for x, y in loader:
        loss = F.cross_entropy(model(x), y)
        if train:
            opt.zero_grad()
            loss.backward()
            opt.step()
    return loss.item()
"""


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        (HEAD + RUN_EPOCH, {"label_smoothing", "schedule", "average"}),
        (EPOCHS.replace("    loss.backward()", "    pass"), {"schedule", "clip", "average", "label_smoothing"}),
        (SEQUENCE.replace("loss.backward()", "loss.backward(); sched = 'lr_scheduler'"), {"schedule"}),
        (SEQUENCE.replace("    optimizer.step()", "    optimizer.step()\n    group['lr'] = 1"), {"schedule"}),
        (SEQUENCE.split("model.eval()")[0], {"average", "add_dropout"}),
        (HEAD + "print(F.cross_entropy(X, Y))\n", {"label_smoothing", "schedule", "clip", "optimiser"}),
        (SEQUENCE.replace("8), nn.ReLU(), nn.Dropout(0.3)", "8), nn.LayerNorm(8), nn.ReLU()"), {"add_norm"}),
        (EPOCHS.replace("for _ in range(4):", "for _ in forever():"), {"schedule", "average"}),
        (ATTENTION.replace("self.head = nn.Linear(width, tokens)", "self.head = nn.Linear(width, 3)"), {"tie"}),
    ],
)
def test_a_rewrite_stays_away_where_it_would_do_harm_or_nothing(text, absent):
    assert not operators(text) & absent


def test_labels_of_evaluation_are_never_smoothed():
    for text in (SEQUENCE, EPOCHS):
        for one in found(text):
            if one.operator == "rewrite.label_smoothing":
                made = one.apply(text)
                assert made.count("label_smoothing") == 1
                assert made[made.index("model.eval()") :] == text[text.index("model.eval()") :]


def test_fixed_parts_stay_as_they_are():
    text = SEQUENCE.replace("for step", "# EVOLVE-BLOCK-START\nfor step").replace(
        "model.eval()", "# EVOLVE-BLOCK-END\nmodel.eval()"
    )
    names = operators(text)
    assert {"schedule", "clip"} <= names
    assert not names & {"optimiser", "initial", "activation", "dropout"}
