"""What a contract breaks of an earlier one, for clients that were made for that."""
