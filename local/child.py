"""Runs a module as a program that cannot outlive whoever started it.

`python -m local.child MODULE ARGUMENT…` is `python -m MODULE ARGUMENT…` whose standard input is a leash: once
its other end is closed, even by a supervisor that was killed, the whole process group ends.
"""

import os
import runpy
import signal
import sys
import threading


def _follow_the_leash() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_follow_the_leash, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
