"""`python -m benchmarks.scaling`."""

import typer

from .command import main

if __name__ == "__main__":
    typer.run(main)
