"""Whether we believe it: e-processes, the evidence ledger, verdicts and estimates."""
