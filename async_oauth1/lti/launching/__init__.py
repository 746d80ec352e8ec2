"""The steps of the verification of a launch: reading it, its fields, what LTI requires, and the browser's state."""
