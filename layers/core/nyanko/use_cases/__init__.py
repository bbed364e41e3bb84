"""What the shop does, one use case a module: the service layer, between the pure modules and the adapters.

    open_checkout ─► Stripe ─► accept_event ─► start_payment ─► verify_event ─► record_payment ─► grant_items
                                                                     └─ find_purchase                  │
       catch_up, tell_player ◄─────────────────────────────────── notify_player ◄──────────────────────┘
       park_event      any of these failed: set aside with its reason
       replay          run it again
       reconcile       ask for what never came; audit compares all of it
       refund          give money back
       verify_ledger   do the books add up?

A use case takes adapters, clocks and ids as arguments. So the functions and the operators' commands call the
same one, and a dry run is the same one with adapters that record instead of write.
"""
