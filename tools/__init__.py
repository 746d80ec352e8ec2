"""Checks and pictures of this repository's structure; `make lint` runs the checks."""
