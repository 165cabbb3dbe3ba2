"""`python -m roadmap`: the command line."""

from roadmap.cli import main

if __name__ == "__main__":
    main()
