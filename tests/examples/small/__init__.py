"""The small providers: one for each framework."""
