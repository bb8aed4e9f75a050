"""Rules that minimise regret in two-player zero-sum games of imperfect information, with exact exploitability."""
