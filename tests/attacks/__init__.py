"""Attacks that must be refused, and unusual requests that must be accepted, over raw ASGI and over sockets."""
