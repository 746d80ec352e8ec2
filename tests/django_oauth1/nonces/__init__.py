"""Nonces: where they are kept, and that a rolled-back view does not bring one back."""
