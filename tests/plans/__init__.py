"""The example plans: right figures, checked against figures that are found in another way."""
