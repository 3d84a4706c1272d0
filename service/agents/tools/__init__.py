"""The tools of agents, for any framework: each engine has its own few lines that take a Tool."""
