"""Complete programs, to read first and to copy."""
