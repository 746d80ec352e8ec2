"""Metrics, traces and retirement of the servers of async_oauth1.django."""
