"""A provider on Django: see README.md."""
