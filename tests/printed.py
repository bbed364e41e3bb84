"""What functions print: their log lines and figures, as CloudWatch gets them."""

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from logging import Logger, StreamHandler, root


@contextmanager
def printed() -> Iterator[StringIO]:
    """What is printed and logged meanwhile: loggers keep the stdout that they were made with."""
    text = StringIO()
    loggers = [root, *(logger for logger in root.manager.loggerDict.values() if isinstance(logger, Logger))]
    handlers = [
        handler for logger in loggers for handler in logger.handlers if type(handler) is StreamHandler
    ]
    streams = [(handler, handler.stream) for handler in handlers]
    for handler in handlers:
        handler.setStream(text)
    try:
        with redirect_stdout(text):
            yield text
    finally:
        for handler, stream in streams:
            handler.setStream(stream)
