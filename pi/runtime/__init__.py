"""One prompt run against one session: recording, printing, limits."""
