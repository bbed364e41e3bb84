"""The use cases of a stage's operators, with its adapters."""

from nyanko.use_cases.audit import Audit
from nyanko.use_cases.reconcile import Reconcile
from nyanko.use_cases.replay import Replay
from ops.stages import Stage


def replay(stage: Stage) -> Replay:
    adapters = stage.adapters
    return Replay(
        stage.operator,
        events=adapters.events,
        executions=adapters.payment_executions,
        history=adapters.execution_history,
        replays=adapters.replays,
        macs=adapters.replay_macs,
    )


def audit(stage: Stage) -> Audit:
    adapters = stage.adapters
    reconcile = Reconcile(
        stripe=adapters.stripe_records,
        events=adapters.events,
        purchases=adapters.purchases,
        executions=adapters.payment_executions,
        queue=adapters.payment_events,
    )
    return Audit(
        reconcile,
        purchases=adapters.purchases,
        ledger=adapters.ledger,
        inventory=adapters.inventory,
    )
