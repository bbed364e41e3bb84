"""The commands of `nyanko`: thin over the modules of `ops`, which tests call directly."""
