"""The engine: brings hosts up, grades and solves labs."""
