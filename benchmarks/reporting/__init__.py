"""Samples, goals, and the pages and pictures made from them."""
