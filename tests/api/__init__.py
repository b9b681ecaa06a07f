"""The operations of the contract, over HTTP, against a real server with real workers."""
