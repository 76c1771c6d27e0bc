"""Commands held by the operating system: what they may read, write and reach."""
