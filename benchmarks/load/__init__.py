"""Load: signed requests, the processes that serve them, and what they cost."""
