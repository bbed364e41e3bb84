"""Stands in for Web3Auth on this machine: its two issuers with their JWKS, and a sign-in page."""
