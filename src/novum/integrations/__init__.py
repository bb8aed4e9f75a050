"""Other systems: exports, telemetry and importers. All optional, loaded by entry point."""
