"""The pages of the reference that are made from the code: `python -m tools.reference [--check]`.

commands        the command line, from typer
configuration   the keys, from `Policy` and the readers of configurations
errors          the errors, and what a client sees
requirements    RFC 5849's requirements, and the tests that hold them
markdown        tables
"""
