"""What research is: nouns, events, ports, state and the loop. No input or output."""
