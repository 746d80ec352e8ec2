"""One application three ways: on Flask and Authlib, on Flask and this project, on Quart and this project."""
