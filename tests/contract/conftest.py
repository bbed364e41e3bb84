from collections.abc import Iterator

import pytest

from tests.workflow.engine import Workflow, deployed


@pytest.fixture
def workflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workflow]:
    with deployed(monkeypatch) as running:
        yield running
