"""Token mixers by family: sizes without torch in `mixer_sizes`, mathematics in one file per family."""
