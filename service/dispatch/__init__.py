"""Which worker runs what. The mission row is the authority: a double hand-over loses the claim."""
