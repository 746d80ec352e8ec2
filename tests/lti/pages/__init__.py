"""The programs of the documentation run as they are shown."""
