"""What a printed metric is made of is found; what is trained is not taken for it."""

from __future__ import annotations

import pytest

from novum.adopt.evaluation_slice import find_evaluation

MAIN = """
def loss_of(weights, rows):
    return sum((weights - x) ** 2 for x in rows) / len(rows)

def main():
    rows = load("a.csv")
    cut = int(0.9 * len(rows))
    train_rows, val_rows = rows[:cut], rows[cut:]
    weights = 0.0
    for step in range(100):
        lr = 0.1 * (1 - step / 100)
        weights = weights - lr * gradient(weights, train_rows)
    val = loss_of(weights, val_rows)
    print(f"lr {lr} val loss {val:.3f}")
"""
SKLEARN = """
from sklearn.svm import SVC
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3)
clf = SVC(C=1.0)
clf.fit(X_train, y_train)
score = clf.score(X_test, y_test)
print("test accuracy:", score)
"""
TORCH = """
net = Net()
opt = Adam(net.parameters(), lr=1e-3)
xb, yb = batches()
xt, yt = held_out()
for epoch in range(3):
    loss = criterion(net(xb), yb)
    loss.backward()
    opt.step()
    acc = (net(xt).argmax(1) == yt).float().mean().item()
    print("epoch %d test acc %.3f" % (epoch, acc))
"""


@pytest.mark.parametrize(
    ("text", "label", "fixed", "free"),
    [
        (MAIN, "val loss", {"main.val", "main.val_rows", "main.rows", "main.cut"}, {"main.weights", "main.lr"}),
        (SKLEARN, "test accuracy", {"score", "X_test", "y_test", "X", "y"}, {"clf"}),
        (TORCH, "test acc", {"acc", "xt", "yt"}, {"net", "opt", "loss", "xb"}),
    ],
)
def test_names_behind_the_metric(text, label, fixed, free):
    found = {one.removeprefix("t.py: ") for one in find_evaluation({"t.py": text}, label).names}
    assert fixed <= found
    assert not free & found


def test_a_loss_that_the_model_computes_itself_is_fixed_and_the_training_loss_is_not():
    text = """
class GPT(nn.Module):
    def forward(self, x, y=None):
        hidden = self.body(x)
        loss = None if y is None else F.cross_entropy(self.head(hidden), y)
        return hidden, loss

model = GPT()
loss = F.cross_entropy(model(x)[0], y)
print("val loss", model(a, b)[1])
"""
    found = {one.removeprefix("t.py: ") for one in find_evaluation({"t.py": text}, "val loss").names}
    assert "GPT.forward.loss" in found
    assert not {"GPT.forward.hidden", "loss", "model"} & found


def test_functions_behind_the_metric_are_found_in_other_files_too():
    files = {"train.py": "from metrics import quality\nval = quality(w)\nprint('val loss', val)\n",
             "metrics.py": "def helper(w):\n    return w\n\ndef quality(w):\n    return helper(w)\n"}  # fmt: skip
    found = set(find_evaluation(files, "val loss").functions)
    assert {"metrics.py: quality", "metrics.py: helper"} <= found


def test_sampling_and_plots_are_fixed_and_training_is_not():
    text = "def generate(m):\n    pass\n\ndef plot_curve(m):\n    pass\n\ndef train_step(m):\n    pass\n"
    found = find_evaluation({"t.py": text + "print('val loss', 0.1 * q)\n"}, "val loss").functions
    assert set(found) == {"t.py: generate", "t.py: plot_curve"}
