"""Skills: what is installed, where it came from, who signed it, and whom to believe."""
