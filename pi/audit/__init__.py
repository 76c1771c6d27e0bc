"""What a run did, for whoever answers for it: the tool audit log and the prompt telemetry."""
