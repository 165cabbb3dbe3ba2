"""The press: turns `content/` into a site, PDFs and notebooks, and runs every experiment."""
