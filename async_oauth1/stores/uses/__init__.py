"""When token credentials were last used."""
