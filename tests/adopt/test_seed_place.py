"""Where a script sets its seed, in the ways of well-known scripts."""

from __future__ import annotations

import pytest

from novum.adopt.seed_place import find_seed
from novum.source.declared.declarations import declared
from novum.source.seed_literals import with_seed


def seed(**texts):
    files = {f"{name}.{'yaml' if name.startswith('conf') else 'py'}": text for name, text in texts.items()}
    return find_seed(files, {path: declared(text, path) for path, text in files.items()})


@pytest.mark.parametrize(
    ("text", "kind", "place", "value"),
    [
        ("p.add_argument('--seed', type=int, default=1)", "argument", "--seed", 1),
        ("p.add_argument('--random-seed', type=int)", "argument", "--random-seed", None),
        ("p.add_argument('-s', '--manualSeed', type=int)", "argument", "--manualSeed", None),
        ("SEED = 42", "constant", "SEED", 42),
        ("class Config:\n    seed: int = 3", "field", "Config.seed", 3),
        ("config = dict(seed=7)", "key", "config.seed", 7),
        ("s = int(os.environ['SEED'])", "environment", "SEED", None),
        ("s = int(os.environ.get('RANDOM_SEED', '5'))", "environment", "RANDOM_SEED", 5),
        ("s = os.getenv('SEED', 0)", "environment", "SEED", 0),
        ("torch.manual_seed(1337 + seed_offset)", "call", "torch.manual_seed", 1337),
        ("np.random.seed(0)", "call", "np.random.seed", 0),
        ("random.seed(0)", "call", "random.seed", 0),
        ("m = RandomForestClassifier(random_state=8)", "call", "RandomForestClassifier", 8),
        ("key = jax.random.PRNGKey(4)", "call", "jax.random.PRNGKey", 4),
        ("x = 3\nseed_offset = 1", "none", "", None),
        ("torch.manual_seed(seed)", "none", "", None),
        ("np.random.rand(3)\nf(seed=None)\nrandom.seed('a')", "none", "", None),
        ("(", "none", "", None),
    ],
)
def test_where_it_is(text, kind, place, value):
    found = seed(a=text)
    assert (found.kind, found.place, found.value) == (kind, place, value)
    assert found.words


def test_what_is_easiest_to_set_comes_first():
    call, constant, argument = "torch.manual_seed(1)", "seed = 2", "p.add_argument('--seed', default=3)"
    assert seed(a=call, b=constant).value == 2
    assert seed(a=constant, b=argument, c=call).value == 3
    assert seed(a=constant, b="seed = 9").value == 2
    assert seed(a=call, conf="train:\n  seed: 8\n").place == "train.seed"


def test_all_calls_of_a_file_are_one_seed():
    text = "import torch\ntorch.manual_seed(1)\nnp.random.seed(1 + rank)\nSVC(random_state=2)\nkeep(1)\n"
    assert seed(a=text).place == "torch.manual_seed, np.random.seed, SVC"
    changed = with_seed(text, "a.py", 77)
    assert changed == text.replace("seed(1)", "seed(77)").replace("(1 +", "(77 +").replace("=2", "=77")
    assert with_seed(changed, "a.py", 77) == changed


def test_the_data_stays_unless_nothing_else_is_random():
    split = "train_test_split(x, random_state=2)\n"
    assert seed(a=split + "SVC(random_state=2)").place == "SVC"
    assert seed(a=split).place == "train_test_split"
