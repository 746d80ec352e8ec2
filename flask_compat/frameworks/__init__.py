"""What differs between Flask and Quart."""
