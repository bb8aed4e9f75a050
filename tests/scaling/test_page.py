"""The program of docs/scaling.md runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/scaling.md"


def test_the_program_of_the_page_runs_and_says_what_it_found(capsys):
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    exec(compile(program, str(PAGE), "exec"), {})
    said = capsys.readouterr().out
    assert "in 90 % of such cases" in said and "measured 1.78" in said
    assert "it is not shown that mine scales better than theirs" in said
