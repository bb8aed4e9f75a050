"""The checkpoint of a script is guessed where it saves to one path and asks whether that is there, and nowhere else."""

from __future__ import annotations

import pytest

from novum.adopt.adoption import Wishes, adopt
from novum.adopt.project import find_project
from novum.adopt.script_checkpoint import find_checkpoint
from novum.sandbox import Tier, sandbox_status
from novum.studies.load import load_study

FOUND = {
    "torch": ('if os.path.exists("ckpt.pt"):\n    torch.load("ckpt.pt")\ntorch.save({}, "ckpt.pt")', "ckpt.pt"),
    "keyword": ('os.path.isfile("a.pt")\ntorch.save(obj={}, f="a.pt")', "a.pt"),
    "constant": ('C = "out/ckpt.pt"\nif os.path.isfile(C): pass\ntorch.save({}, C)', "out/ckpt.pt"),
    "joined": ('D = "out"\nC = os.path.join(D, "c.pt")\nos.path.exists(C)\ntorch.save({}, C)', "out/c.pt"),
    "in a function": ('def main():\n    c = Path("x") / "c.pt"\n    c.exists()\n    torch.save({}, c)', "x/c.pt"),
    "a path": ('C = Path("./c.pt")\nC.is_file()\ntorch.save({}, str(C))', "c.pt"),
    "numpy": ('os.path.exists("s.npz")\nnp.savez("s", a=1)', "s.npz"),
    "numpy, whole": ('os.path.exists("s.npy")\nnumpy.save("s.npy", a)', "s.npy"),
    "joblib": ('os.path.exists("m.joblib")\njoblib.dump(m, "m.joblib")', "m.joblib"),
    "open": ('os.path.exists("m.pkl")\npickle.dump(m, open("m.pkl", "wb"))', "m.pkl"),
    "with": (
        'if os.path.exists("m.pkl"):\n    with open("m.pkl", "rb") as f:\n        pickle.load(f)\n'
        'with open("m.pkl", "wb") as f:\n    pickle.dump(m, f)\n'
        'with open("r.json", mode="w") as f:\n    json.dump(r, f)',
        "m.pkl",
    ),
    "path.open": ('P = Path("s.json")\nP.exists()\nwith P.open("w") as f:\n    json.dump(s, f)', "s.json"),
    "renamed": (
        'C = "c.pt"\nT = C + ".tmp"\nif os.path.exists(C): pass\ntorch.save({}, T)\nos.replace(T, C)',
        "c.pt",
    ),
    "renamed by pathlib": ('C = Path("c.pt")\nC.exists()\ntorch.save({}, "t")\nPath("t").replace(C)', "c.pt"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "path"), FOUND.values(), ids=FOUND)
def test_a_file_that_is_saved_to_and_looked_for_is_one(text, path):
    assert find_checkpoint({"train.py": text}) == path


NOT = {
    "never looked for": 'torch.save({}, "model.pt")',
    "never saved": 'if os.path.exists("model.pt"):\n    torch.load("model.pt")',
    "data that is fetched": 'if not os.path.exists("input.txt"):\n    open("input.txt", "w").write(get())',
    "made at run time": 'p = f"ckpt-{n}.pt"\nos.path.exists(p)\ntorch.save({}, p)',
    "by an argument": "os.path.exists(args.out)\ntorch.save({}, args.out)",
    "a parameter": 'path = "a.pt"\ndef save(path):\n    torch.save({}, path)\nos.path.exists("a.pt")',
    "two values": 'c = "a.pt"\nos.path.exists(c)\nc = "b.pt"\ntorch.save({}, c)',
    "read, not written": 'os.path.exists("m.pkl")\npickle.dump(m, open("m.pkl", "rb"))',
    "above": 'os.path.exists("../c.pt")\ntorch.save({}, "../c.pt")',
    "elsewhere": 'os.path.exists("/tmp/c.pt")\ntorch.save({}, "/tmp/c.pt")',
    "two of them": "\n".join(f'os.path.exists("{n}.pt")\ntorch.save({{}}, "{n}.pt")' for n in "ab"),
    "no Python": "if (:",
    "deep": "x = " + "+".join(['"a"'] * 5000),
}


@pytest.mark.parametrize("text", NOT.values(), ids=NOT)
def test_nothing_else_is_guessed(text):
    assert find_checkpoint({"train.py": text}) == ""


SCRIPT = """import os, pickle, random
SEED = 1
RATE = 0.1
CKPT = "state.pkl"
random.seed(SEED)
first, loss = 0, 3.0
if os.path.exists(CKPT):
    first, loss = pickle.load(open(CKPT, "rb"))
for step in range(first, 4):
    loss -= RATE * random.random()
    print(f"step {step} val loss {loss:.5f}")
    pickle.dump((step + 1, loss), open(CKPT, "wb"))
"""


@pytest.mark.skipif(sandbox_status().tier is Tier.NONE, reason="no sandbox here")
def test_adopt_says_it_and_begins_without_the_users_own(tmp_path):
    import pickle

    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "state.pkl").write_bytes(pickle.dumps((4, 0.0)))
    result = adopt(find_project(tmp_path / "train.py", ()), Wishes(seconds=60.0), lambda _: None)
    assert result.metric.occurrences == 4, "the first run begins at step 0"
    assert '\ncheckpoint = "state.pkl"  # guess: ' in result.text
    (tmp_path / "study.toml").write_text(result.text)
    load_study(str(tmp_path))
    without = adopt(find_project(tmp_path / "train.py", ()), Wishes(seconds=60.0), lambda _: None)
    assert without.text == result.text


@pytest.mark.skipif(sandbox_status().tier is Tier.NONE, reason="no sandbox here")
def test_adopt_guesses_none_where_later_numbers_alone_give_another_score(tmp_path):
    text = SCRIPT.replace("val loss {loss:.5f}", "best loss {loss + step % 2:.5f}")
    (tmp_path / "train.py").write_text(text)
    result = adopt(find_project(tmp_path / "train.py", ()), Wishes(seconds=60.0), lambda _: None)
    assert 'take = "min"' in result.text and "checkpoint" not in result.text
    (tmp_path / "study.toml").write_text(result.text)
    load_study(str(tmp_path))
