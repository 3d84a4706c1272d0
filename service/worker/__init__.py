"""The worker: a supervisor that claims missions and runs each attempt in a child process."""
