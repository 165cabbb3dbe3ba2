"""A language-model stack, from raw text to a served model, written to be read."""
