"""What a function's process runs: AWS's own runtime client, in the environment of this checkout.

It has imported boto3, which every function needs, before it asks for its first event.
"""

import runpy

import boto3  # noqa: F401 its import takes longer than all else on the way to the first answer

if __name__ == "__main__":
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
