"""Stores whose servers speak TLS: what is accepted, and how each refusal is explained."""
