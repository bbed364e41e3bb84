"""schemathesis sends the running API what docs/openapi.yaml allows and what it does not."""

import subprocess
import sys
from pathlib import Path

from tests.e2e.shop import Player, Shop

ROOT = Path(__file__).parents[2]
EXAMPLES_PER_OPERATION = 30


def test_every_answer_is_documented_and_none_is_a_500(shop: Shop, player: Player, tmp_path: Path) -> None:
    opened = player.order()
    shop.pay(opened["url"])
    assert player.status_becomes(opened["purchase_id"], "granted")
    tried = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            *("run", str(ROOT / "docs" / "openapi.yaml")),
            *("--url", shop.stack.api),
            *("--header", f"Authorization: Bearer {player.token}"),
            *(
                "--checks",
                "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
            ),
            *("--phases", "examples,coverage,fuzzing"),
            *("--max-examples", str(EXAMPLES_PER_OPERATION)),
            *("--generation-deterministic", "--request-timeout", "30", "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert tried.returncode == 0, tried.stdout[-8000:] + tried.stderr[-2000:]
