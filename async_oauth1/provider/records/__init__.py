"""Structured log records of what the servers decide; docs/monitoring.md lists their fields."""
