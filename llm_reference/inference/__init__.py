"""From a trained model to text."""

from llm_reference.inference.sampling import generate, next_token_probabilities

__all__ = ["generate", "next_token_probabilities"]
