"""Where a script says its score: in what it prints, in the files that it writes, and by which name."""
