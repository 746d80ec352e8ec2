"""Migrations of the optional models."""
