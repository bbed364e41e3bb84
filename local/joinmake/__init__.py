"""Stands in for the Join&make user API on this machine, and fails on request."""
