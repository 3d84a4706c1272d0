"""The feed: cursor, page, waiters, watcher, poll. Web only, and the only code that knows gevent."""
