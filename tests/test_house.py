"""The house keeps its order: no circles, names that mean one thing, small folders, a README that tells the truth."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import diagrams
import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
MOST_FILES = 21
"""In a folder, `__init__.py` included."""


def name_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in SOURCE.rglob("*.py")}


def imports(path: Path) -> set[str]:
    """Modules of novum that a file imports, wherever in it, for types alone or not."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{one.name}" for one in node.names}
            found |= {name if name in MODULES else node.module for name in inner}
    return {name for name in found if name in MODULES} - {name_of(path)}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Ways from a file back to itself, each found once."""
    done: set[str] = set()
    found: list[list[str]] = []

    def visit(name: str, way: list[str]) -> None:
        if name in way:
            found.append([*way[way.index(name) :], name])
        elif name not in done:
            for other in sorted(graph[name]):
                visit(other, [*way, name])
            done.add(name)

    for name in sorted(graph):
        visit(name, [])
    return found


def test_no_file_imports_itself_by_way_of_others():
    assert circles({name: imports(path) for name, path in MODULES.items()}) == []


def test_a_circle_would_be_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c", "a"]]


def test_no_two_modules_of_one_name_mean_different_things():
    names = defaultdict(list)
    for name in MODULES:
        if not name.startswith("novum.arenas."):  # whose files follow one convention
            names[name.rpartition(".")[2]].append(name)
    twice = {name: where for name, where in names.items() if len(where) > 1 and name != "__main__"}
    assert twice == {}


@pytest.mark.parametrize("folder", sorted({path.parent for path in MODULES.values()}), ids=lambda p: p.name)
def test_no_folder_is_too_large_to_be_read(folder):
    assert len(list(folder.glob("*.py"))) <= MOST_FILES


def test_the_tree_of_the_readme_is_the_tree_of_the_source():
    tree = (ROOT / "README.md").read_text().partition("src/novum/\n")[2].partition("```")[0]
    top = {found[1] for found in re.finditer(r"^  ([a-z_]+(?:/|\.py)) ", tree, re.M)}
    inside = {found[1] for found in re.finditer(r"^    ([a-z_]+/) ", tree, re.M)}
    here = SOURCE / "novum"
    assert top == {f"{one.name}/" for one in here.iterdir() if (one / "__init__.py").exists()} | {
        one.name for one in here.glob("*.py") if one.name not in ("__init__.py", "version.py")
    }
    assert inside == {f"{one.name}/" for one in (here / "core").iterdir() if (one / "__init__.py").exists()}


def test_every_file_says_what_it_is():
    for path in MODULES.values():
        assert ast.get_docstring(ast.parse(path.read_text())), path


def test_every_file_that_the_architecture_names_is_there():
    text = (ROOT / "docs/architecture.md").read_text()
    named = set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py)", text))
    assert len(named) > 30
    assert [one for one in named if not (SOURCE / "novum" / one).exists() and not (ROOT / one).exists()] == []


def test_the_diagrams_of_the_architecture_are_those_of_the_code():
    page = diagrams.PAGE.read_text()
    assert diagrams.written(page) == page, "run: python tests/support/diagrams.py"


def test_every_word_of_the_glossary_is_where_it_says():
    rows = re.findall(r"^\| .*\| ([^|]*) \|$", (ROOT / "docs/glossary.md").read_text(), re.M)[2:]
    assert len(rows) > 40
    for row in rows:
        place, *classes = re.findall(r"`([^`]+)`", row)
        found = SOURCE / "novum" / place
        assert found.exists(), place
        for name in classes:
            assert re.search(rf"^(class )?{name}\b", found.read_text(), re.M), row


PAGES = [one for one in ROOT.rglob("*.md") if not {".venv", "decisions", "template", "labs"} & set(one.parts)]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(page):
    rooms = ("src", "tests", "docs", "benchmarks")
    files = {str(one.relative_to(ROOT)) for room in rooms for one in (ROOT / room).rglob("*.*")}
    blocks = set(re.findall(r"^# (\S+\.py)$", page.read_text(), re.M))
    named = set(re.findall(r"`((?:[\w.]+/)*\w+\.(?:py|toml|md))`", page.read_text())) - blocks
    missing = [one for one in named - {"BRIEF.md"} if not any(f"/{file}".endswith(f"/{one}") for file in files)]
    assert missing == []
