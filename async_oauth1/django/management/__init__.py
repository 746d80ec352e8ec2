"""Management of the application by the command line."""
