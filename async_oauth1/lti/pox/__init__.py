"""The XML of the outcome service, called "plain old XML": writing and reading it, and scores in it (LTI 1.1.1, 6)."""
