"""The form that registers a client says what is wrong, at the field, and keeps what was typed."""

from __future__ import annotations

import pytest

from async_oauth1.stores import MemoryStore
from tests.keys import RSA_PUBLIC_KEY, WEAK_RSA_PUBLIC_KEY

from .visiting import Visitor

WRONG: dict[str, tuple[str, dict[str, str], str]] = {
    "no name": ("name", {"name": " "}, "Write 1 to 200 printable"),
    "a long name": ("name", {"name": "n" * 201}, "Write 1 to 200 printable"),
    "a line break": ("name", {"name": "a\nb"}, "Write 1 to 200 printable"),
    "text that turns around": ("name", {"name": "a\u202eb"}, "Write 1 to 200 printable"),
    "a script": (
        "callbacks",
        {"callbacks": "https://ok.example/\njavascript:alert(1)"},
        "javascript:alert(1)&#39; has a scheme",
    ),
    "no URL": ("callbacks", {"callbacks": "printer"}, "&#39;printer&#39; is not an absolute URI"),
    "RSA without a key": ("methods", {"method.RSA-SHA256": "yes"}, "RSA-SHA256 needs"),
    "a key without RSA": (
        "methods",
        {"method.HMAC-SHA1": "yes", "rsa_public_key": RSA_PUBLIC_KEY},
        "None of these uses the public key",
    ),
    "a weak key": ("rsa_public_key", {"rsa_public_key": WEAK_RSA_PUBLIC_KEY}, "512"),
    "a private key": ("rsa_public_key", {"rsa_public_key": "-----BEGIN PRIVATE KEY-----\nAAAA"}, "private"),
    "no key": ("rsa_public_key", {"rsa_public_key": "abc"}, "The key "),
}


@pytest.mark.parametrize(("field", "fields", "says"), WRONG.values(), ids=list(WRONG))
async def test_a_mistake_is_named_at_its_field(
    store: MemoryStore, visitor: Visitor, field: str, fields: dict[str, str], says: str
) -> None:
    """The field refers to the message, nothing is registered, and the form can be sent again."""
    answer = await visitor.send("/new", await visitor.token(), **{"name": "Printer", **fields})
    assert answer.status_code == 400
    message = answer.text.partition(f'id="{field}-error">')[2].partition("</p>")[0]
    assert says in message
    assert f'{field}-error" aria-invalid="true"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 1
    assert not await store.list_clients()


async def test_what_was_typed_is_kept(visitor: Visitor) -> None:
    """The operator corrects one field instead of typing all of them again."""
    fields = {"name": '"Printer" & co', "callbacks": "nonsense", "method.HMAC-SHA512": "yes"}
    answer = await visitor.send("/new", await visitor.token(), **fields)
    assert 'value="&#34;Printer&#34; &amp; co"' in answer.text
    assert ">\nnonsense</textarea>" in answer.text
    assert 'name="method.HMAC-SHA512" value="yes" checked' in answer.text
    assert answer.text.count(" checked") == 1


async def test_the_methods_follow_the_choice_and_the_key(store: MemoryStore, visitor: Visitor) -> None:
    """Without a choice, a client has the same methods as from the command line."""
    await visitor.register("Plain")
    await visitor.register("Keyed", rsa_public_key=RSA_PUBLIC_KEY)
    await visitor.register("Chosen", **{"method.HMAC-SHA512": "yes", "method.HMAC-SHA256": "yes"})
    clients = {client.name: client for client in await store.list_clients()}
    assert clients["Plain"].signature_methods == ("HMAC-SHA1",)
    assert clients["Keyed"].signature_methods == ("RSA-SHA1",)
    assert clients["Keyed"].rsa_public_key == RSA_PUBLIC_KEY.strip()
    assert clients["Chosen"].signature_methods == ("HMAC-SHA256", "HMAC-SHA512")
