"""Where everything is put together: the one reader of a function's environment, the one builder of clients.

collector     when Python collects garbage: imported before anything large
clock         the time, and waiting
telemetry     the log of a function, and its figures
clients       AWS's clients, with their timeouts and retries
secrets       which secrets there are, and what it means that one is missing
adapters      every adapter of a stage
function      the same for the function that runs here, by its environment
"""
