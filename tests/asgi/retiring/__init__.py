"""A way out of OAuth 1.0: token exchange, bearer tokens beside it, and its announced end."""
