"""Verifies one connection, with the demands of one route, and calls an application with it."""
