"""Runs hooks and flows in threads, on event loops, and under WSGI."""
