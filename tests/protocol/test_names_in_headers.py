"""The protocol's parameters, and all others, are found in a header that has both."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from async_oauth1.protocol.authorization_header import other_names, protocol_parameters
from async_oauth1.protocol.encoding import join_pairs

NAMES = ["", "a", "oauth_", "oauth_a", "oauth_b", "xoauth_a", "xxoauth_a", "x", "Oauth_a", "aoauth_b", "oauth%5Fa"]
PAIRS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(["", "oauth_a", "x"])), unique_by=lambda pair: pair[0]
)


@given(PAIRS)
def test_both_are_found_as_by_splitting(pairs: list[tuple[str, str]]) -> None:
    """Whatever surrounds them, each parameter belongs to the protocol or not by the beginning of its name."""
    form = join_pairs(pairs)
    protocol = {name: value for name, value in pairs if name.startswith("oauth_")}
    assert protocol_parameters(form) == (protocol, len(protocol) < len(pairs))
    others = [name.replace("%5F", "_") for name, _ in pairs if not name.startswith(("oauth_", "xoauth_"))]
    assert [*other_names(form)] == others
