"""The core's flows with Authlib's order of checks and its overridable methods."""
