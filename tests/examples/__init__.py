"""The example programs, run as their users run them."""
