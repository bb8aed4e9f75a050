"""For authors of arenas and researchers: contract suites, fault injection, in-memory ledgers."""
