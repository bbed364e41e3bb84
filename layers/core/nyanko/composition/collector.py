"""Lets Python's garbage collector wait, from the import of this module on.

What a cold start imports and makes clients of stays, and the collector would look through it again and again
as it grows: with Python's own 2,000 that takes 5 % of a cold start (docs/performance.md).
"""

import gc

gc.set_threshold(100_000)
