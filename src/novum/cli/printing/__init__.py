"""How commands print: tables, panels, and JSON with its schema."""
