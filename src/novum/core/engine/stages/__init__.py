"""The stages of a decision, one file each: propose, admit, screen, confirm, promote, follow up."""
