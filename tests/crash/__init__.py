"""Real processes die, hang and flood; what was promised still holds."""
