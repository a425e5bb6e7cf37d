"""The commands: what they ask for, what they print, and the code they end with."""
