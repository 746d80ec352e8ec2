"""Benchmarks; several of the modules are programs."""
