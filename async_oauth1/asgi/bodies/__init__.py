"""Bodies of requests: read in pieces, hashed while they arrive, and handed over."""
