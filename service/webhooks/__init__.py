"""Webhooks: chosen events of the log, sent to addresses of the user's. At least once, none lost.

`registry` keeps them, `queue` turns the log into deliveries by cursor, `signing` and `sending` make
one try, `sender` is the process. The web process uses the first two only.
"""
