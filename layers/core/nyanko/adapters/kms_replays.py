"""Vouching for a replay, by a key in KMS that operators sign with and the workflow checks with.

Once the webhook's secret was rolled, no secret in force signed an older event; and Stripe forgets events
after 30 days. A replay therefore carries a MAC of its own over the event's id and body, and over who replays
it, when and why. Nobody ever sees the key: only operators may use it to sign (kms:GenerateMac) and only
VerifyEvent may check (kms:VerifyMac), and CloudTrail has every use. The webhook knows nothing of it.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from typing import Any

from nyanko.adapters.aws_errors import aws_errors
from nyanko.deliveries import Delivery, Vouching
from nyanko.errors import BadInput

ALGORITHM = "HMAC_SHA_256"


class ReplayMacs:
    """`client` is called when there is something to sign or check; `key_id` is the id, ARN or alias of a key
    with the spec HMAC_256."""

    def __init__(self, client: Callable[[], Any], key_id: str) -> None:
        self._client = client
        self._key_id = key_id

    def sign(self, delivery: Delivery, by: str, at: int, reason: str) -> Delivery:
        """The delivery as a replay that `check` accepts."""
        replay = Vouching(by=by, at=at, reason=reason, mac="")
        with aws_errors("KMS"):
            signed = self._client().generate_mac(
                KeyId=self._key_id, MacAlgorithm=ALGORITHM, Message=_message(delivery, replay)
            )
        return {**delivery, "replay": {**replay, "mac": base64.b64encode(signed["Mac"]).decode()}}

    def check(self, delivery: Delivery, replay: Vouching) -> None:
        """Raise `BadInput` (`InvalidSignature`) unless somebody who may replay has signed it."""
        unsigned = BadInput("InvalidSignature", "nobody who may replay events has signed this replay")
        try:
            mac, message = base64.b64decode(replay["mac"], validate=True), _message(delivery, replay)
        except (binascii.Error, KeyError, TypeError, ValueError):
            # Whoever may write to the queue may write anything there.
            raise unsigned from None
        try:
            with aws_errors("KMS"):
                self._client().verify_mac(
                    KeyId=self._key_id, MacAlgorithm=ALGORITHM, Message=message, Mac=mac or b"-"
                )
        except self._client().exceptions.KMSInvalidMacException:
            raise unsigned from None


def _message(delivery: Delivery, replay: Vouching) -> bytes:
    """What is signed, within KMS's 4,096 bytes: the body by its digest, the texts unambiguously divided."""
    body = hashlib.sha256(delivery["body"].encode()).hexdigest()
    said = hashlib.sha256(json.dumps([replay["by"], replay["at"], replay["reason"]]).encode()).hexdigest()
    return json.dumps([delivery["event_id"], body, said]).encode()
