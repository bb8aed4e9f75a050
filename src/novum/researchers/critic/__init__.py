"""Looks at a proposal before anything is spent on it, by rules alone: no model, no trial, no word on the gate's data.

One file for each family of checks. A check remarks on what is doubtful; it refuses only what is certain.
"""

from novum.researchers.critic.rule_critic import RuleCritic

__all__ = ["RuleCritic"]
