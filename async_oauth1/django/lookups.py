"""What both servers need of an application's models, and where nonces are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, cast

from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db.models import Model

from async_oauth1.provider.tokens import TOKEN_LENGTH, TOKEN_SECRET_LENGTH, generate_credentials

from .caches import CachedNonces
from .configuration import Configuration
from .tables import StoredNonces

__all__ = ["check_models", "find_client", "find_token", "has_field", "model_problems", "open_nonces"]

#: Columns of token credentials that must be as long as what is generated.
_LENGTHS = {"oauth_token": TOKEN_LENGTH, "oauth_token_secret": TOKEN_SECRET_LENGTH}


class Nonces(Protocol):
    """Where nonces are kept."""

    def add(self, key: str, timestamp: int, lifetime: int) -> bool:
        """Add one in one atomic step, and say whether it is new."""
        ...


def open_nonces(configuration: Configuration) -> Nonces:
    """The storage that the setting asks for."""
    return StoredNonces() if configuration.nonces == "models" else CachedNonces(configuration.cache)


def find_client(model: Any, client_id: str) -> Any:
    """Look a client up; ``None`` if it is unknown, or if its model has a field ``disabled`` that is true."""
    found = _exact(model.objects.filter(client_id=client_id).first(), client_id=client_id)
    return None if getattr(found, "disabled", False) is True else found


def find_token(model: Any, client_id: str, oauth_token: str) -> Any:
    """Look token credentials up; ``None`` if they are unknown."""
    found = model.objects.filter(client_id=client_id, oauth_token=oauth_token).first()
    return _exact(found, oauth_token=oauth_token)


def _exact(found: Any, **sent: str) -> Any:
    """What was found, unless the database compared without regard to case, as MySQL does by default."""
    return found if found is not None and all(getattr(found, name) == value for name, value in sent.items()) else None


def check_models(server: Any, base: Any) -> None:
    """Refuse models that lack what the methods of a server use, unless a subclass overrides these methods.

    Raises:
        ImproperlyConfigured: names every problem.
    """
    kind = cast("Any", type(server))
    problems: list[str] = []
    if kind.get_client_by_id is base.get_client_by_id:
        problems += model_problems(server.client_model, ("client_id",), ("get_client_secret",))
        if any(name.startswith("RSA-") for name in server.configuration.policy.signature_methods):
            problems += model_problems(server.client_model, (), ("get_rsa_public_key",))
    name = "create_token_credential" if hasattr(base, "create_token_credential") else "get_token_credential"
    if getattr(kind, name) is getattr(base, name):
        columns = ("client_id", "oauth_token", "oauth_token_secret", "user")
        problems += model_problems(server.token_model, columns, ("get_oauth_token", "get_oauth_token_secret"))
        if name == "create_token_credential":
            problems += _too_short(server)
    if problems:
        raise ImproperlyConfigured(" ".join(problems))


def model_problems(model: Any, columns: tuple[str, ...], methods: tuple[str, ...]) -> list[str]:
    """Say which fields and methods a model lacks, each in a sentence."""
    if not (isinstance(model, type) and issubclass(model, Model)):
        return [f"{model!r} is not a model."]
    lacking = [f"the field {name!r}" for name in columns if not has_field(model, name)]
    lacking += [f"the method {name}()" for name in methods if not callable(getattr(model, name, None))]
    return [f"The model {model.__qualname__} needs {' and '.join(lacking)}."] if lacking else []


def has_field(model: type[Model], name: str) -> bool:
    """Whether a model has a field."""
    try:
        model._meta.get_field(name)  # noqa: SLF001 - Django documents it
    except FieldDoesNotExist:
        return False
    return True


def _too_short(server: Any) -> Iterator[str]:
    """Columns in which generated tokens would be cut off or refused."""
    if model_problems(server.token_model, (), ()):
        return
    for name, length in _LENGTHS.items():
        if not has_field(server.token_model, name):
            continue
        longest = getattr(server.token_model._meta.get_field(name), "max_length", None)  # noqa: SLF001 - documented
        if longest is not None and longest < length and server.token_generator is generate_credentials:
            yield f"The column {name!r} of {server.token_model.__qualname__} is shorter than {length} characters."
