"""The web process over real sockets, with and without an edge: what clients meet is the same."""
