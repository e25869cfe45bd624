"""What the API and the pages share about HTTP: who asks, in which language, and how files are answered."""
