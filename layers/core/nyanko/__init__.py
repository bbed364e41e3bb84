"""The domain of the cat game's shop: pure modules, `wiring.py`, and `adapters/` that speak to the world."""
