"""Asks language models for hypotheses: hosted ones, any OpenAI-compatible endpoint, or a small one on this machine.

A model has ideas and nothing else: its reply becomes a proposal or nothing. What it costs is set aside before it is
asked, and every prompt and reply is part of the record.
"""

from novum.researchers.language.comments import CommentingResearcher
from novum.researchers.language.language_options import LanguageOptions
from novum.researchers.language.language_researcher import LanguageResearcher
from novum.researchers.language.recorded_replies import Recorded

__all__ = ["CommentingResearcher", "LanguageOptions", "LanguageResearcher", "Recorded"]
