"""The link between server and worker."""
