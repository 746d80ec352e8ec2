"""Administration of clients and tokens over HTTP, for operators."""
