"""The facade with Authlib's names, on Flask and on Quart."""
