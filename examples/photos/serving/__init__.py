"""Serving the provider: connections, workers, and stopping without losing a request."""
