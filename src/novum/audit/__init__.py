"""Whether the record is true."""
