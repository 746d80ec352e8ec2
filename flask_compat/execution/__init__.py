"""What runs where: threads, event loops and WSGI."""
