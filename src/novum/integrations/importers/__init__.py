"""Other tools' layouts as program studies; what cannot be carried over is said."""
