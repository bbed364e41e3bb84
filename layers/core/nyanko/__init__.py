"""The cat game's shop.

composition   puts together what runs
use_cases     how one thing is done
adapters      with whom: AWS, Stripe, Web3Auth, Join&make
the modules   what it is about: pure, standard library only
"""
