"""What the lane notices, and what it reads without a lock."""
