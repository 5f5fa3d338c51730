"""`python -m mixcon`, the same as `mixcon`."""

from mixcon.cli import main

if __name__ == "__main__":
    main()
