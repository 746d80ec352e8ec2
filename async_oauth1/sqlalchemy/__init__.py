"""SQLAlchemy: OAuth 1.0 credentials in the models of an application."""
