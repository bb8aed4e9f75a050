"""What of the outside a candidate sees: directories and files, packages, and tables made for it."""
