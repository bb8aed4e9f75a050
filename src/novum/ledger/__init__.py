"""What happened: journal, hash chain, blobs."""
