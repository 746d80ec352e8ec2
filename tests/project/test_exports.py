"""The public names."""

from __future__ import annotations

import importlib

import pytest

from tools import public_names
from tools.public_names import PUBLIC_MODULES


def test_the_public_names_are_sorted_and_complete() -> None:
    """Each public module has a sorted and complete `__all__`, and no module's name begins with an underscore."""
    assert list(public_names.violations()) == []


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_public_names_exist(name: str) -> None:
    """Each name in `__all__` can be imported."""
    module = importlib.import_module(name)
    assert len(module.__all__) == len(set(module.__all__))
    for exported in module.__all__:
        assert hasattr(module, exported), f"{name}.__all__ names {exported}, which is not there"
