"""One study for each known answer, with a table `target` that says what the answer is and what was hidden."""
