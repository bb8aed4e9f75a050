"""A candidate reads the packages that its study declares, what these require, and no others."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from novum.sandbox import Tier
from novum.sandbox.visible.shown_packages import package_directories, package_paths, without

LOOK = """
import importlib, json, os, sys
found = {}
for name in ("numpy", "rich", "yaml", "pip", "novum", "json"):
    try:
        importlib.import_module(name)
        found[name] = True
    except (ImportError, OSError):
        found[name] = False
def readable(path):
    try:
        with open(path, "rb") as file:
            return bool(file.read(1))
    except OSError:
        return False
found["by path"] = [path for path in sys.argv[1:] if readable(path)]
print(json.dumps(found))
"""


def looked(play, packages):
    """What can be imported, and what of the other packages can be read by its path."""
    paths = [importlib.util.find_spec(name).origin for name in ("rich", "yaml")]
    source = LOOK.replace("sys.argv[1:]", repr(paths))
    ended = play(source, packages=packages)
    assert ended.kind is None, ended.stderr
    return json.loads(ended.stdout), paths


@pytest.fixture
def walled(tier):
    if tier is Tier.NONE:
        pytest.skip("without walls nothing is hidden")
    return tier


def test_nothing_declared_is_nothing_seen(walled, play):
    found, _ = looked(play, ())
    assert found == {
        "numpy": False,
        "rich": False,
        "yaml": False,
        "pip": False,
        "novum": False,
        "json": True,
        "by path": [],
    }


def test_what_is_declared_is_seen_and_its_neighbours_are_not(walled, play):
    found, _ = looked(play, ("numpy",))
    assert found["numpy"]
    assert not found["rich"]
    assert not found["yaml"]
    assert found["by path"] == []


def test_what_a_package_requires_is_seen_with_it(walled, play):
    found, paths = looked(play, ("rich",))  # which requires pygments and markdown-it-py
    assert found["rich"]
    assert found["by path"] == paths[:1]
    ended = play("import rich.markdown, pygments", packages=("rich",))
    assert ended.kind is None, ended.stderr


def test_a_trusted_job_sees_what_is_installed(walled, play):
    found, paths = looked(play, None)
    assert found["numpy"] and found["yaml"]
    assert found["by path"] == paths


def test_every_directory_of_packages_is_known():
    import numpy

    home = str(Path(numpy.__path__[0]).resolve().parent)
    assert home in package_directories()
    assert str(Path(home, "numpy")) in package_paths(("numpy.linalg",))
    assert package_paths(("no_such_module",)) == ()


def test_a_directory_is_taken_apart_around_what_is_hidden(tmp_path):
    for name in ("lib/packages/secret", "lib/own", "bin"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "file").touch()
    root, hidden = str(tmp_path), f"{tmp_path}/lib/packages"
    read, listed = without(root, (hidden,))
    assert set(read) == {f"{root}/lib/own", f"{root}/bin", f"{root}/file"}
    assert set(listed) == {root, f"{root}/lib", hidden}
    assert without(root, ("/elsewhere",)) == ((root,), ())


def test_links_show_nothing_that_is_hidden(tmp_path):
    """A virtual environment has lib64, which is lib."""
    for name in ("lib/packages/secret", "lib/own"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "lib/packages/secret/labels").touch()
    (tmp_path / "lib64").symlink_to("lib")
    (tmp_path / "within").symlink_to("lib/packages/secret/labels")
    (tmp_path / "other").symlink_to("lib/own")
    read, _ = without(str(tmp_path), (f"{tmp_path}/lib/packages",))
    assert set(read) == {f"{tmp_path}/lib/own", f"{tmp_path}/other"}
