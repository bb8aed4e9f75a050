"""The recall arena: token mixers on associative recall. Import `arena` for the port; `trial` needs torch."""
