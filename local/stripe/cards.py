"""Stripe's test cards, and what each of them does (https://docs.stripe.com/testing)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Decline:
    """`text` is what the hosted page tells the buyer."""

    code: str
    decline_code: str
    message: str
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    number: str
    brand: str = "visa"
    country: str = "US"
    decline: Decline | None = None
    three_d_secure: bool = False
    dispute: Literal["chargeback", "inquiry"] | None = None
    refund: Literal["at_once", "later", "fails"] = "at_once"


@dataclass(frozen=True, slots=True)
class CardEntry:
    """A card as the buyer typed it; `year` has all of its four digits."""

    card: Card
    month: int
    year: int


_DECLINED = "Your card was declined."

CARDS: Mapping[str, Card] = {
    card.number: card
    for card in (
        Card("4242424242424242"),
        Card("4000003920000003", country="JP"),
        Card("5555555555554444", brand="mastercard"),
        Card("3566002020360505", brand="jcb", country="JP"),
        Card("4000002500003155", three_d_secure=True),
        Card("4000000000000259", dispute="chargeback"),
        Card("4000000000001976", dispute="inquiry"),
        Card("4000000000007726", refund="later"),
        Card("4000000000005126", refund="fails"),
        Card(
            "4000000000000002",
            decline=Decline("card_declined", "generic_decline", _DECLINED, "カードが拒否されました。"),
        ),
        Card(
            "4000000000009995",
            decline=Decline(
                "card_declined",
                "insufficient_funds",
                "Your card has insufficient funds.",
                "カードの残高が不足しています。",
            ),
        ),
        Card(
            "4000000000000069",
            decline=Decline(
                "expired_card", "expired_card", "Your card has expired.", "カードの有効期限が切れています。"
            ),
        ),
        Card(
            "4000000000000127",
            decline=Decline(
                "incorrect_cvc",
                "incorrect_cvc",
                "Your card's security code is incorrect.",
                "セキュリティコードが正しくありません。",
            ),
        ),
    )
}

_NOT_A_TEST_CARD = Decline(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. Your request was in test mode, but used a non test card.",
    "テスト用のカード番号だけが使えます。",
)


def card_of(number: str) -> Card:
    """The test card of that number; any other card is declined, as Stripe's test mode does."""
    return CARDS.get(number) or Card(number, decline=_NOT_A_TEST_CARD)


def plausible(number: str) -> bool:
    """Whether the digits can be a card number at all: their length, and Luhn's checksum (ISO/IEC 7812-1)."""
    if not (number.isascii() and number.isdecimal() and 12 <= len(number) <= 19):
        return False
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
