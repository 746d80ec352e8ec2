"""Caches as `flask_compat.cache` uses them: their kinds, their suitability, and one interface to all of them."""
