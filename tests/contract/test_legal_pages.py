"""The legal pages are templates: what only the operator knows is marked in them, and invented nowhere."""

import re

import pytest

from tests.template import ROOT

LEGAL = ROOT / "web" / "legal"
PLACEHOLDER = re.compile(r'<mark data-placeholder="([^"]+)">【[^】]+】</mark>')

UNFILLED = {
    "tokushoho.html": [
        "販売事業者名",
        "運営統括責任者",
        "所在地",
        "電話番号",
        "メールアドレス",
        "商品代金以外の必要料金",
        "支払方法",
        "返品・キャンセル",
        "動作環境",
    ],
    "shikin-kessaiho.html": [
        "該当性",
        "発行者の名称",
        "支払可能金額等",
        "使用期間・期限",
        "苦情・相談窓口",
        "使用できる場所の範囲",
        "利用上の注意",
        "未使用残高",
        "約款等",
    ],
}
"""What is still to be filled in; whoever fills one in takes it off this list. docs/web.md has more."""


@pytest.mark.parametrize("name", UNFILLED)
def test_the_list_of_unfilled_placeholders_is_complete(name: str) -> None:
    assert PLACEHOLDER.findall((LEGAL / name).read_text()) == UNFILLED[name]


def test_every_legal_page_is_looked_at() -> None:
    assert {page.name for page in LEGAL.glob("*.html")} == set(UNFILLED)


@pytest.mark.parametrize("name", UNFILLED)
def test_a_placeholder_is_always_marked(name: str) -> None:
    text = (LEGAL / name).read_text()
    assert text.count("【") == text.count("<mark") == len(UNFILLED[name])


@pytest.mark.parametrize("name", UNFILLED)
def test_the_shop_links_to_the_page(name: str) -> None:
    assert f'href="../legal/{name}"' in (ROOT / "web" / "shop" / "index.html").read_text()
