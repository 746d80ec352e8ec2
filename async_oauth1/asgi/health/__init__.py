"""Health checks as an ASGI application."""
