"""An evidence pack says more than its record: a page, a statement, metadata. It is made again, or called unchecked."""

from __future__ import annotations

import subprocess
import sys

import pytest
from forgery import refused, resigned
from labs import SECRET, coin_study

from novum.audit.pack import write_pack
from novum.core.model.budget import Budget
from novum.lab import verification
from novum.lab.session import session
from novum.ledger.key import load_key


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A small lab with a finding, and its name."""
    directory = tmp_path_factory.mktemp("lab")
    (directory / "lab.secret").write_text(SECRET.hex())
    with session(coin_study(), Budget(trials=420), directory) as lab:
        lab.run()
        return directory, lab.state.findings[0].id


@pytest.fixture(scope="module")
def pack(original, tmp_path_factory):
    path = tmp_path_factory.mktemp("packs") / "finding.zip"
    write_pack(original[0], original[1], path)
    return path


@pytest.mark.parametrize("writer", ["0.0.1", {"version": "9.9.9", "code": "ab" * 32}, {"version": "9.9.9"}, None, []])
def test_a_page_that_another_version_is_said_to_have_written_is_said_to_be_unchecked(original, pack, tmp_path, writer):
    """Whoever has the key may name any version: the page cannot be made again then, and must not pass for checked."""
    key = load_key(original[0])

    def other(files, said):
        files["index.html"] = files["index.html"].replace(b"replicated", b"excellent").replace(b"confirmed", b"great")
        said.update(novum=writer)

    path = resigned(pack, tmp_path, key, other)
    found = verification.verify(path)
    assert not found.ok
    assert not found.lie
    assert found.signed
    assert found.unchecked[0].startswith("index.html")
    shown = subprocess.run(
        [sys.executable, "-m", "novum.cli", "verify", str(path)], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 1
    first, second = shown.stdout.splitlines()[:2]
    assert "NOT CHECKED" in first
    assert second.startswith("not checked: index.html") and "nothing in them was checked" in second
    honest = verification.verify(resigned(pack, tmp_path, key, lambda f, said: said.update(novum=writer)))
    assert honest.ok, "what this version writes alike was checked, whoever is named"


def test_another_version_does_not_excuse_what_is_data_of_the_record(original, pack, tmp_path):
    key = load_key(original[0])
    elsewhere = {"version": "9.9.9", "code": "ab" * 32}
    lies = {
        "another claim": lambda f, said: said["claim"].update(effect=9.0, words="of course"),
        "another anchor": lambda f, said: said.update(anchor="1-0000"),
        "lab.pem does not say": lambda f, said: f.update({"lab.pem": f["lab.pem"] + b"\n"}),
    }
    for words, lie in lies.items():
        path = resigned(pack, tmp_path, key, lambda f, said, lie=lie: (lie(f, said), said.update(novum=elsewhere)))
        assert words in refused(path)
    own = resigned(pack, tmp_path, key, lambda f, said: said.update(novum={**said["novum"], "version": "9.9.9"}))
    assert "another novum" in refused(own)
