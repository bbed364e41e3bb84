"""`nyanko`, the operations CLI."""
