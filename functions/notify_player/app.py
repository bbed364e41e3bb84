"""NotifyPlayer: writes the notice that the client shows, once for each version of a purchase."""

from typing import Any

from aws_lambda_powertools import Logger

from nyanko import wiring

logger = Logger()


def lambda_handler(grant: dict[str, Any], _context: object) -> dict[str, Any]:
    # Sorts by time, and a second run for the same version of the purchase finds the notice written.
    notice_id = f"{grant['updated_at']:010d}.{grant['purchase_id']}.{grant['version']}"
    notice = {
        "type": "purchase.updated",
        "purchase_id": grant["purchase_id"],
        "status": grant["status"],
        "items": grant["items"],
    }
    wiring.notices().put(grant["player_id"], notice_id, notice, wiring.now())
    logger.info("notified", extra={"purchase_id": grant["purchase_id"], "notice_id": notice_id})
    return {"notice_id": notice_id}
