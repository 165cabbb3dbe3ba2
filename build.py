"""`python build.py`: load, check, run, render, publish. The same as `roadmap build`."""

import sys

from roadmap.cli import main

if __name__ == "__main__":
    main(["build", *sys.argv[1:]])
