"""The protocol, floors 0 to 5, without a framework and without I/O."""
