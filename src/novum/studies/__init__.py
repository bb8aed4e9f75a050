"""Studies that ship with Novum, and the reader of study files."""
