"""The command line, and the only place that puts the layers together."""
