"""Tests of the migration that the documentation recommends."""
