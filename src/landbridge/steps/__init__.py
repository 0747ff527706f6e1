"""What is each step of a file's way? Narrow arguments in, one fact out."""
