"""The server's side of its workers."""
