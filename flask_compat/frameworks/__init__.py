"""One adapter for each framework: Flask and Quart."""
