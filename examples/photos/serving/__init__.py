"""How the provider is served: connections, workers, and stopping without losing a request."""
