"""One plan of both environments for all that look at it."""

import pytest

from tests.terraform.command import STAGES
from tests.terraform.plans import Plan, plan


@pytest.fixture(scope="session")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Plan]:
    """The plans of stg and prod by stage."""
    made = plan(tmp_path_factory.mktemp("plans"), tuple(f"envs/{stage}" for stage in STAGES))
    return {stage: made[f"envs/{stage}"] for stage in STAGES}
