"""What Lambda tells a function of the call that it answers."""

from aws_lambda_powertools.utilities.typing import LambdaContext

REQUEST_ID = "8f5ae24a-0b4c-4a3c-9c7e-5f1c1b1f7a10"


def invocation(seconds_left: float = 900) -> LambdaContext:
    """The context of a call, with the same time left however often it is asked."""
    context = LambdaContext()
    context._aws_request_id = REQUEST_ID
    context.get_remaining_time_in_millis = lambda: int(seconds_left * 1000)  # type: ignore[method-assign]
    return context
