"""The only speakers of AWS, Stripe, Web3Auth and Join&make; each translates foreign errors once."""
