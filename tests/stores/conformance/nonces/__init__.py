"""Nonces, and the clocks that decide how long they are kept."""
