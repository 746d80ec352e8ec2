"""The providers that are measured, each an application of its own."""
