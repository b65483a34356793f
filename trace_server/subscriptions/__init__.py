"""Standing queries: matching events go to a webhook or a WebSocket, as they come or on a schedule."""
