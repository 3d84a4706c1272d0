"""Longline: runs AI-agent missions and shows them as they happen, over plain HTTP.

Imports point down this list, never up; setup.cfg holds the contracts.

    cli             longline serve | web | worker | sender | migrate | run | tail | token …
    gunicorn_conf   how gunicorn runs the web process
    gunicorn_worker its gevent worker with an edge: held polls leave their greenlets; drain
    app             create_app(settings): the web process put together
    api             the HTTP edge: parse, authorise, one call, serialise. No SQL
    worker          claims missions, runs each attempt in a child process, renews leases
    webhooks        events sent to servers of others, from the log by cursor
    tracing         missions that have ended, as traces for OpenTelemetry
    metrics         numbers for Prometheus
    feed            cursor, page, watcher, waiters, poll. Web only; alone knows gevent
    agents          RunContext and what runs behind it: crewai, langchain, projects, models, tools
    dispatch        which worker runs what
    client          the Python client that the command line uses
    requests        questions to a human: ask, answer, expire, wait
    missions        spec, states, transitions, commands, queries
    events          the log: kinds, append, read
    schema, logs
    security, db
    config, errors, clock, durations, tariff, forms

`models` (the tables) lies below all of it, and knows none of it.
"""
