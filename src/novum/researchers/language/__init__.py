"""Asks language models for hypotheses: hosted ones, any OpenAI-compatible endpoint, or a small one on this machine.

A model has ideas and nothing else: its reply becomes a proposal or nothing. What it costs is set aside before it is
asked, and every prompt and reply is part of the record.
"""

from novum.researchers.language.comments import CommentingResearcher
from novum.researchers.language.options import LanguageOptions
from novum.researchers.language.replay import Recorded
from novum.researchers.language.researcher import LanguageResearcher

__all__ = ["CommentingResearcher", "LanguageOptions", "LanguageResearcher", "Recorded"]
