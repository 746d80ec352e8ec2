"""The pages of the documentation hold."""
