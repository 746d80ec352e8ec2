"""The providers to measure, each a separate application."""
