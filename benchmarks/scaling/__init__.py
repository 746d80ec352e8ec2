"""From one worker to a million requests per second, on paper: the tables of docs/scaling.md."""
