"""From the book and its outcomes to pages, notebooks and PDFs."""
