"""`flask_compat` has every public name of Authlib's module. If a release of Authlib changes them, these tests fail."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import flask
import pytest
from authlib import oauth1
from authlib.integrations import flask_oauth1
from authlib.oauth1 import errors

import flask_compat
from flask_compat import signature, wrapper

CLASSES = ["AuthorizationServer", "ResourceProtector"]


def shape(func: Any) -> list[tuple[str, object, object]]:
    """Names, kinds and defaults of the parameters."""
    return [(name, each.kind, each.default) for name, each in inspect.signature(func).parameters.items()]


def public(owner: Any) -> set[str]:
    return {name for name in dir(owner) if not name.startswith("_")}


def is_own(value: Any) -> bool:
    return getattr(value, "__module__", "").startswith("authlib.")


def test_the_package_has_every_name_of_authlibs() -> None:
    """Each can be imported from ``flask_compat``."""
    wanted = {name for name in public(flask_oauth1) if not inspect.ismodule(getattr(flask_oauth1, name))}
    assert wanted - public(flask_compat) == set()
    assert set(oauth1.__all__) - set(flask_compat.__all__) == set()


@pytest.mark.parametrize("module", ["authorization_server", "resource_protector", "cache"])
def test_the_submodules_have_every_name_of_authlibs(module: str) -> None:
    """Authlib's documentation imports from ``.cache``."""
    theirs = importlib.import_module(f"authlib.integrations.flask_oauth1.{module}")
    ours = importlib.import_module(f"flask_compat.{module}")
    wanted = {name for name in public(theirs) if getattr(getattr(theirs, name), "__module__", "") == theirs.__name__}
    assert wanted - public(ours) == set()


@pytest.mark.parametrize(
    "name", ["create_exists_nonce_func", "register_nonce_hooks", "register_temporary_credential_hooks"]
)
def test_functions_have_the_same_parameters(name: str) -> None:
    """Names, order, kinds and defaults are equal."""
    assert shape(getattr(flask_compat, name)) == shape(getattr(flask_oauth1, name))


@pytest.mark.parametrize("name", CLASSES)
def test_classes_have_every_member_with_the_same_parameters(name: str) -> None:
    """This includes methods that users call or override, and class attributes."""
    theirs, ours = getattr(flask_oauth1, name), getattr(flask_compat, name)
    assert shape(ours) == shape(theirs)
    for member in public(theirs):
        assert hasattr(ours, member), member
        expected = getattr(theirs, member)
        if inspect.isroutine(expected):
            parameters = shape(getattr(ours, member))
            wanted = shape(expected)
            # Authlib's framework-free base wants what its Flask class makes optional.
            assert [each[:2] for each in parameters] == [each[:2] for each in wanted], member
            assert parameters == wanted, member
        elif member != "SIGNATURE_METHODS":
            assert getattr(ours, member) == expected, member
    assert theirs.SIGNATURE_METHODS.keys() <= ours.SIGNATURE_METHODS.keys()


@pytest.mark.parametrize("name", CLASSES)
def test_instances_have_the_same_attributes(name: str) -> None:
    """Users' tests read them."""
    app = flask.Flask(__name__)
    theirs, ours = getattr(flask_oauth1, name)(app), getattr(flask_compat, name)(app)
    assert vars(theirs).keys() - vars(ours).keys() == set()
    if name == "AuthorizationServer":
        assert ours._hooks == theirs._hooks


def test_errors_are_authlibs_classes() -> None:
    """One ``except`` clause catches both."""
    for name in public(errors):
        value = getattr(errors, name)
        if inspect.isclass(value) and issubclass(value, errors.OAuth1Error):
            assert getattr(flask_compat.errors, name) is value


def test_the_signature_module_has_every_name() -> None:
    """Users import these for their own signature methods."""
    theirs = importlib.import_module("authlib.oauth1.rfc5849.signature")
    for name in public(theirs):
        value = getattr(theirs, name)
        if name.startswith("SIGNATURE") or (inspect.isfunction(value) and value.__module__ == theirs.__name__):
            assert hasattr(signature, name), name
            if inspect.isfunction(value):
                assert shape(getattr(signature, name)) == shape(value), name


def test_the_request_has_the_same_interface() -> None:
    """Constructor, properties and attributes are equal, and it is a subclass."""
    wanted = shape(oauth1.OAuth1Request)
    assert shape(wrapper.OAuth1Request)[: len(wanted)] == wanted
    theirs = oauth1.OAuth1Request(
        "GET", "https://a.test/?a=1", None, {"Authorization": 'OAuth realm="r", oauth_nonce="n"'}
    )
    ours = wrapper.OAuth1Request(
        "GET", "https://a.test/?a=1", None, {"Authorization": 'OAuth realm="r", oauth_nonce="n"'}
    )
    assert isinstance(ours, oauth1.OAuth1Request)
    assert public(theirs) - public(ours) == set()
    for name in public(theirs) - {"headers"}:
        assert getattr(ours, name) == getattr(theirs, name), name
