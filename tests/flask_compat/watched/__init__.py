"""Metrics of the servers of flask_compat."""
