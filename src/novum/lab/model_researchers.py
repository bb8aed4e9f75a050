"""Researchers that need more of the lab than a study's options: models with their records, portfolios of others."""

from __future__ import annotations

from novum import registry
from novum.core.model.candidate import Setting
from novum.core.model.errors import StudyError
from novum.core.model.options import configured, parse_options
from novum.core.model.ports import Researcher
from novum.core.model.study import Study
from novum.lab.recorded_models import recorded, remarked

KEY = "researcher.options"


def language(options: Setting) -> Researcher:
    """A researcher that asks a language model. Raises StudyError."""
    from novum.researchers.language import LanguageOptions, LanguageResearcher

    return LanguageResearcher(parse_options(LanguageOptions, options, "the language researcher", KEY), recorded)


def portfolio(options: Setting) -> Researcher:
    """A bandit over researchers; options with a dot belong to its members. Raises StudyError."""
    from novum.researchers.portfolio import PortfolioResearcher, PortfolioSettings, members

    own = {key: value for key, value in options.items() if "." not in key}
    settings = parse_options(PortfolioSettings, own, "the portfolio", KEY)
    known = members(settings, options, lambda name: lambda given: _member(name, given))
    return PortfolioResearcher(known, settings)


def researcher(study: Study) -> Researcher:
    """The researcher that a study names. Raises StudyError."""
    name = study.researcher.name
    target = registry.find(registry.Kind.RESEARCHER, name, "researcher.name")
    made: Researcher = configured(target, study.researcher.options, f"the researcher {name}", KEY)
    return made


def with_comments(study: Study, inner: Researcher) -> Researcher:
    """The study's researcher, with the model beside it that remarks on its proposals and their verdicts, if any."""
    if not study.comments.model:
        return inner
    from novum.researchers.language import CommentingResearcher

    return CommentingResearcher(inner, study.comments, remarked)


def _member(name: str, given: Setting) -> Researcher:
    if name in ("inbox", "portfolio"):
        raise StudyError(f"researcher.options.members: {name} cannot be a member of a portfolio")
    target = registry.find(registry.Kind.RESEARCHER, name, "researcher.options.members")
    made: Researcher = configured(target, given, f"the researcher {name}", KEY)
    return made
