"""What must never be accepted, and what must never be refused: over raw ASGI, and over sockets where octets matter."""
