"""Which installed packages a candidate may read: those that its study declares, what they depend on, and no others.

Packages hold data sets; whoever sees all of them can look up labels. Covered: every site-packages and dist-packages
directory of this interpreter, of the one it is based on, and of the system. Not covered: what lies elsewhere, such as
files that the system's own packages install under /usr/share.
"""

from __future__ import annotations

import importlib.metadata
import os
import site
import sys
import sysconfig
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement


@cache
def package_directories() -> tuple[str, ...]:
    """Directories of installed packages that exist here, whatever Python they belong to."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()}
    for prefix in (sys.prefix, sys.base_prefix, "/usr", "/usr/local"):
        for library in ("lib", "lib64"):
            places |= {str(one) for one in Path(prefix, library).glob("python3*/*-packages")}
            places.add(f"{prefix}/{library}/{version}/site-packages")
    real = {os.path.realpath(one) for one in places if Path(one).is_dir()}
    return tuple(sorted(real | {one for one in places if Path(one).is_dir() and os.path.realpath(one) == one}))


@cache
def providers() -> Mapping[str, list[str]]:
    """The distributions behind each module, for all that is installed: a quarter of a second, once for each process."""
    return importlib.metadata.packages_distributions()


@cache
def package_paths(modules: tuple[str, ...]) -> tuple[str, ...]:
    """Files and folders of the distributions behind modules, and of all that these require here."""
    wanted = [name for module in modules for name in providers().get(module.partition(".")[0], [])]
    found: dict[str, set[str]] = {}
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        found[name] = set()
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        found[name] = _paths(distribution)
        wanted += _required(distribution)
    return tuple(sorted(set().union(*found.values())))


def _paths(distribution: importlib.metadata.Distribution) -> set[str]:
    """The first level of what a distribution has installed in its directory of packages."""
    root = Path(os.path.realpath(str(distribution.locate_file(""))))
    tops = {file.parts[0] for file in distribution.files or () if file.parts and file.parts[0] not in ("..", "/")}
    return {str(root / top) for top in tops if top != "__pycache__" and (root / top).exists()}


def _required(distribution: importlib.metadata.Distribution) -> list[str]:
    """Names of the distributions that one requires on this machine, extras left out."""
    names = []
    for text in distribution.requires or ():
        try:
            required = Requirement(text)
        except InvalidRequirement:
            continue
        if required.marker is None or required.marker.evaluate({"extra": ""}):
            names.append(required.name)
    return names


def without(root: str, hidden: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A directory in parts: what may be read whole, and the folders above something hidden, to be listed only."""
    if root in hidden:
        return (), (root,)
    if not any(one.startswith(root.rstrip("/") + "/") for one in hidden):
        return (root,), ()
    read: list[str] = []
    listed = [root]
    for entry in os.scandir(root):
        if entry.is_dir(follow_symlinks=False):
            parts, above = without(entry.path, hidden)
            read += parts
            listed += above
        elif not (entry.is_symlink() and _beside(os.path.realpath(entry.path), hidden)):
            read.append(entry.path)
    return tuple(read), tuple(listed)


def _beside(path: str, hidden: tuple[str, ...]) -> bool:
    """Whether a path is above, at or within something hidden: a link there would show it under another name."""
    return any(f"{one}/".startswith(f"{path}/") or f"{path}/".startswith(f"{one}/") for one in hidden)
