"""The text of the webhook's secrets: with their endpoints' ids, or bare."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyanko.signing_secrets import SigningSecret, read_secrets, secrets_text

VALUES = st.from_regex(r"whsec_[A-Za-z0-9]{1,32}", fullmatch=True)
IDS = st.none() | st.from_regex(r"we_[A-Za-z0-9]{1,24}", fullmatch=True)


@given(st.lists(st.builds(SigningSecret, VALUES, IDS), max_size=4))
def test_what_was_stored_is_read(secrets: list[SigningSecret]) -> None:
    assert read_secrets(secrets_text(secrets)) == secrets


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("", []),
        ("whsec_a\n", [SigningSecret("whsec_a")]),
        ("whsec_a whsec_b", [SigningSecret("whsec_a"), SigningSecret("whsec_b")]),
        ("we_1 whsec_a\nwhsec_b", [SigningSecret("whsec_a", "we_1"), SigningSecret("whsec_b")]),
        (
            "we_1  whsec_a \r\n we_2 whsec_b",
            [SigningSecret("whsec_a", "we_1"), SigningSecret("whsec_b", "we_2")],
        ),
        ("we_1", []),
        ("we_1 we_2 whsec_b", [SigningSecret("whsec_b", "we_2")]),
    ],
)
def test_every_form_is_read_and_an_id_is_no_secret(stored: str, read: list[SigningSecret]) -> None:
    assert read_secrets(stored) == read
