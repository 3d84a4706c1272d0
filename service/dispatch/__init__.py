"""Which worker runs what. The mission row is the authority: a double hand-over loses the claim.

Two ways to tell workers that there is something to claim: `local` looks at the rows, and
`distributed` has a queue for it on PostgreSQL. `choose` knows which is used.
"""
