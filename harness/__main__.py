"""`python -m harness` is the `stackline` command."""

from harness.cli import main

if __name__ == "__main__":
    main()
