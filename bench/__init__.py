"""Cold starts, warm functions, the local stack under load. `make bench` writes docs/performance.md anew."""
