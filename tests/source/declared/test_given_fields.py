"""Fields whose default nothing reads."""

from __future__ import annotations

from novum.source.declared.given_fields import given_fields

CONFIG = """
from dataclasses import dataclass

@dataclass
class Config:
    width: int = 8
    depth: int = 2
    dropout: float = 0.1
"""


def test_what_every_call_gives_is_found_by_keyword_place_and_written_mapping():
    assert given_fields([CONFIG, "a = Config(4, dropout=args.dropout)"]) == {"Config.width", "Config.dropout"}
    assert given_fields([CONFIG, "made = dict(width=w)\na = Config(**made)"]) == {"Config.width"}
    assert given_fields([CONFIG, "made = {'depth': 3}\na = Config(**made)"]) == {"Config.depth"}


def test_a_default_that_one_call_reads_stays_a_setting():
    assert given_fields([CONFIG]) == set()
    assert given_fields([CONFIG, "a = Config()"]) == set()
    assert given_fields([CONFIG, "a = Config(width=3)\nb = Config(depth=3)"]) == set()
    assert given_fields([CONFIG, "a = Config(**load())", "b = Config(*rest)"]) == set()
    assert given_fields([CONFIG, "def f("]) == set()
