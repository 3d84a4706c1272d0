"""Questions to humans: asked by an agent, answered over HTTP, waited for by polling."""
