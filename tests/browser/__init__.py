"""The example's pages in a real browser."""
