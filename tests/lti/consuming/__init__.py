"""Tests of the consumer's side: launches, cartridges, and the platform for tests."""
