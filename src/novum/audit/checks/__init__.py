"""What each event of a record is held to beside the rules of the gate: form, place, origin, and what was paid."""
