"""What every layer stands on: errors, the host, files, HTTP values. Imports nothing of pi."""
