"""Metrics, traces and retirement of the servers of flask_compat."""
