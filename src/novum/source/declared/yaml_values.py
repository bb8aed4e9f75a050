"""Values of a YAML file and where they stand, by the nodes of PyYAML."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from novum.core.model.candidate import Scalar
from novum.source.declared.declaration import LARGEST, Declared
from novum.source.declared.enumerations import members

_LARGEST_FILE = 200_000
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(?:\d[\d_]*\.?[\d_]*|\.\d+)(?:[eE][-+]?\d+)?")
_SWITCHES = (("false", "true"), ("no", "yes"), ("off", "on"))
_NO_VALUES = frozenset({"defaults", "hydra"})
_WRAPPERS = frozenset({"value", "default"})
_PLAIN = re.compile(r"[A-Za-z_][\w./-]*")
_COMMENT = re.compile(r"[ \t,}\]]*[ \t]#[ \t]*([^\n]*)")
_MOST_DOC = 300


def yaml_values(text: str) -> Iterator[Declared]:
    """The scalars under the keys of the one document of a file; nothing where it is not valid YAML."""
    if len(text) > _LARGEST_FILE:
        return
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return
    waiting: list[tuple[yaml.Node | None, tuple[str, ...]]] = [(root, ())]
    seen: set[int] = set()
    while waiting:
        node, path = waiting.pop()
        if node is None or id(node) in seen:
            continue  # an alias: its value stands where the anchor is
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            waiting += reversed([*_children(node, path)])  # an anchor comes before its aliases
        elif isinstance(node, yaml.ScalarNode) and path and (one := _scalar(text, node, path)) is not None:
            yield one


def _children(node: yaml.MappingNode, path: tuple[str, ...]) -> Iterator[tuple[yaml.Node, tuple[str, ...]]]:
    """The values of a mapping by key, the last one of equal keys, without what Hydra reads as instructions."""
    last = {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}
    for key, value in last.items():
        instruction = key.startswith("_") and key.endswith("_")
        if key and key != "<<" and not instruction and (path or key not in _NO_VALUES):
            yield value, (*path, key)


def _scalar(text: str, node: yaml.ScalarNode, path: tuple[str, ...]) -> Declared | None:
    start, end = node.start_mark.index, node.end_mark.index
    if node.style is None:
        start = end - len(node.value)  # behind an anchor or a tag
        value = _plain(node, _wrapped(path))
    else:
        value = node.value if node.style in "'\"" and text[start] in "'\"" and members(_wrapped(path)) else None
    if value is None or (node.style is None and text[start:end] != node.value):
        return None
    comment = _COMMENT.match(text, end)
    doc = comment[1].strip()[:_MOST_DOC] if comment else ""
    line = text.count("\n", 0, start) + 1
    return Declared(".".join(path), _wrapped(path), value, start, end, "key", (), doc, line)


def _wrapped(path: tuple[str, ...]) -> str:
    """The name of a value, which is that of the outer key for `lr: {value: 0.1}`."""
    return path[-2] if len(path) > 1 and path[-1] in _WRAPPERS else path[-1]


def _plain(node: yaml.ScalarNode, name: str) -> Scalar | None:
    """The value of a scalar without quotes; `6e-4` is a number, although YAML 1.1 reads it as text."""
    text = node.value
    if node.tag == "tag:yaml.org,2002:bool":
        return any(text.lower() == on for _, on in _SWITCHES)
    if node.tag not in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:str"):
        return None
    if _INT.fullmatch(text):
        return number if abs(number := int(text)) <= LARGEST else None
    if _FLOAT.fullmatch(text):
        return real if abs(real := float(text)) <= LARGEST else None
    return text if members(name) and _PLAIN.fullmatch(text) else None


def yaml_switch(old: str, value: bool) -> str:
    """A truth value in the words and letters of the one that it replaces: `yes` and `no`, `True` and `False`."""
    pair = next((pair for pair in _SWITCHES if old.lower() in pair), _SWITCHES[0])
    word = pair[value]
    return word.upper() if old.isupper() else word.capitalize() if old[:1].isupper() else word


def yaml_number(written: str) -> str:
    """A number that YAML 1.1 reads as one too: with a point before the exponent."""
    mantissa, mark, exponent = written.partition("e")
    return f"{mantissa}.0e{exponent}" if mark and "." not in mantissa else written


def yaml_needs_quotes(value: str) -> bool:
    """Whether a text would be something else without quotes."""
    if not _PLAIN.fullmatch(value):
        return True
    return not isinstance(yaml.safe_load(value), str)
