"""The agent: tool protocol, turn machine, loop."""
