"""What `make run` shows: made-up people, short real films, a question bank. Loaded once."""
