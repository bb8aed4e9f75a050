"""What is refused before a trial is paid for, and what is let through because it cannot be known."""

from __future__ import annotations

import sys

import pytest

from novum.core.model.errors import StudyError
from novum.source.space import SourceSpace

BASE = "import math\nfrom helper import tool\n\n\ndef f(a):\n    return math.sqrt(tool(a))\n"
SPACE = SourceSpace({"pkg/main.py": BASE, "pkg/helper.py": "def tool(a):\n    return a\n"}, modules=("fixed",))


def accepted(text: str) -> bool:
    return SPACE.validate({"pkg/main.py": text}) == {"pkg/main.py": text}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import no_such_module\n", "main.py:1: no module named 'no_such_module'"),
        ("import os.no_such_part\n", "no module named"),
        ("from random import unifrom\n", "random has no 'unifrom'"),
        ("import math\n\nx = math.squareroot(2)\n", "main.py:3: math has no 'squareroot'"),
        ("import numpy as np\nx = np.no_such_thing(2)\n", "numpy has no 'no_such_thing'"),
        ("def f():\n    return g()\n", "main.py:2: nothing sets the name 'g'"),
        ("def f():\n    a = b\n    b = 1\n    return a\n", "main.py:2: 'b' is used before it is set"),
        ("a = b\nb = 1\n", "main.py:1: 'b' is used before it is set"),
        ("def f():\n    total += 1\n    return total\n", "'total' is used before it is set"),
        ("def f(xs):\n    for x in xs:\n        s = s + x\n    return s\n", "'s' is used before it is set"),
    ],
)
def test_certain_failures_are_refused(text, says):
    with pytest.raises(StudyError) as refusal:
        SPACE.validate({"pkg/main.py": text})
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import no_such_module\nexcept ImportError:\n    no_such_module = None\n",
        "from helper import anything\nfrom pkg.helper import tool\nimport fixed\n",
        "from math import *\n\nx = squareroot(2)\n",
        "import os.path\n\nx = os.path.join('a', 'b')\n",
        "def f(xs):\n    for x in xs:\n        if x > 1:\n            print(last)\n        last = x\n",
        "def f():\n    return g()\n\n\ndef g():\n    return __name__\n",
        "def f():\n    global state\n    state = 1\n\n\ndef g():\n    return state\n",
        "def f(xs):\n    return [x for x in xs if (y := x) and y] and (lambda z: z)(1)\n",
        "def f(v):\n    match v:\n        case [a, *rest]:\n            return a, rest\n",
        "def f():\n    try:\n        return 1\n    except ValueError as error:\n        return error\n",
        "class A:\n    x = 1\n    y = x\n\n    def m(self):\n        return __class__\n",
        "import math\n\n\ndef f(math):\n    return math.anything\n",
    ],
)
def test_what_may_work_is_let_through(text):
    assert accepted(text)


def test_faults_of_the_base_are_not_held_against_a_change():
    space = SourceSpace({"a.py": "import absent_here\n\n\ndef f():\n    return magic + 1\n"})
    child = {"a.py": "import absent_here\n\n\ndef f():\n    return magic + 2\n"}
    assert space.validate(child) == child


def test_nothing_is_imported_to_look_at_it(tmp_path, monkeypatch):
    (tmp_path / "loud_module.py").write_text("raise RuntimeError('imported')\nname = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert accepted("from loud_module import name\n")
    with pytest.raises(StudyError, match="has no 'other'"):
        SPACE.validate({"pkg/main.py": "from loud_module import other\n"})
    assert "loud_module" not in sys.modules
