"""Tests of the whole flow at the provider, without a framework."""
