"""The pages of the example, in a real browser."""
