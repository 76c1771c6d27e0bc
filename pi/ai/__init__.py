"""Models: messages, wire formats, the client that talks to a provider."""
