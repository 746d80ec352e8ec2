"""What `flask_compat.cache` needs of a cache, and how each kind of cache keeps it."""
