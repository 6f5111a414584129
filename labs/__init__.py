"""The labs: one folder of data each, and the engine that runs them."""
