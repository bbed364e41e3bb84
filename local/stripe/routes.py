"""All calls of the API: each of these modules has put its own into the list when it was imported."""

from local.stripe import api, cli, intents

MODULES = (api, cli, intents)
CALLS = api.CALLS
