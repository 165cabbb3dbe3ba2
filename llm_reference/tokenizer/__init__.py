"""Byte-level byte-pair encoding: from text to ids and back."""

from llm_reference.tokenizer.interop import load_gpt2
from llm_reference.tokenizer.pattern import GPT2, GPT4, WHOLE
from llm_reference.tokenizer.tokenizer import END_OF_TEXT, Tokenizer

__all__ = ["END_OF_TEXT", "GPT2", "GPT4", "WHOLE", "Tokenizer", "load_gpt2"]
