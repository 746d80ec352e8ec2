"""How Django's requests are read."""
