"""What a server and a framework make of the request target: which paths are covered, and which requests are preflights."""
