"""The learning tool and the course beside it."""
