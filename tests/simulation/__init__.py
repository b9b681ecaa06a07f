"""What the simulation of many hosts makes of costs that are made up."""
