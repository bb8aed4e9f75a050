"""What research talks about: candidates, trials, metrics, studies, verdicts, budgets and ports."""
