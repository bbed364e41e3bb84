"""`nyanko console`: the shop to look at, in a browser on this machine."""
