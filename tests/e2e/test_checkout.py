"""POST /checkout over HTTP, and that one player sees and touches nothing of another."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.shop import Player, Shop, eventually


@pytest.mark.parametrize("product_id", ["no_such_product", "spring_sakura_set"])
def test_a_product_that_is_not_on_sale_is_not_found(player: Player, product_id: str) -> None:
    refused = player.post("/checkout", {"product_id": product_id, "quantity": 1})
    assert (refused.status, refused.body["error"]["code"]) == (404, "NotFound")


def test_the_same_key_returns_the_same_session_even_when_pressed_twice_at_once(player: Player) -> None:
    order = {"product_id": "neko_starter_pack", "quantity": 1}
    with ThreadPoolExecutor(4) as fingers:
        answers = list(
            fingers.map(lambda _: player.post("/checkout", order, Idempotency_Key="order-1"), range(4))
        )
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["session_id"] for answer in answers}) == 1
    other = player.post("/checkout", {**order, "quantity": 2}, Idempotency_Key="order-1")
    assert (other.status, other.body["error"]["code"]) == (409, "IdempotencyMismatch")


def test_the_page_asks_for_the_catalogs_price(shop: Shop, player: Player) -> None:
    opened = player.order("churu_party", 3)
    assert (opened["amount"], opened["currency"]) == (2940, "jpy")
    assert "2,940" in shop.request("GET", opened["url"]).body


def test_two_checkouts_at_once_cannot_both_pass_a_limit_of_one(player: Player) -> None:
    with ThreadPoolExecutor(4) as fingers:
        answers = list(
            fingers.map(lambda _: player.post("/checkout", {"product_id": "maneki_neko"}), range(4))
        )
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    assert {answer.body["error"]["code"] for answer in answers if answer.status == 409} == {"LimitReached"}


def test_every_answer_names_its_request_and_so_does_its_log(shop: Shop, player: Player) -> None:
    answers = [player.get("/inventory"), player.get("/purchases/none"), player.post("/checkout", [])]
    request_ids = [answer.headers["X-Request-Id"] for answer in answers]
    assert len(set(request_ids)) == len(answers)
    refused = request_ids[-1]
    logs = shop.stack.directory / "logs" / "functions.log"
    assert eventually(lambda: f'"correlation_id":"{refused}"' in logs.read_text(), bool)
