"""A stand-in for Stripe: Checkout with its hosted page, signed webhooks, events, and a dashboard to act from.

It runs as its own process (`python -m local.stripe --port N`) and is reached by URL alone: the `stripe`
SDK through `base_addresses={"api": url}`, the buyer's browser through the session's `url`, the operator's
through `/dashboard`. It speaks one API version, keeps its state in memory and forgets it on exit.
Rules come from https://docs.stripe.com/api at that version, shapes from the SDK's annotations of it.
"""
