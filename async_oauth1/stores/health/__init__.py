"""Whether a store answers."""
