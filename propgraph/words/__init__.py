"""What people read, in their language: sentences with their facts, one file of sentences a language."""
