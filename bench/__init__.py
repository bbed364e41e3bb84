"""What a purchase costs in time, money and quota, measured. `make bench` writes docs/performance.md anew."""
