"""Traces for OpenTelemetry: each mission that has ended, made from its part of the log. Off unless configured.

`spans` turns events into spans, `export` sends them over OTLP, `follower` knows by cursor which missions
have been sent; so none is left out, whichever process dies. Nothing of what models or people said goes
into a trace.
"""
