"""What a server and a framework make of a request target: covered paths, and CORS preflights."""
