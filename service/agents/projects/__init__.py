"""Projects of the operator's: found, loaded, described, and run as they are."""
