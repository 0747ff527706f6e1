"""What does `python -m landbridge` do? The same as `landbridge`."""

from landbridge.cli import main

if __name__ == "__main__":
    main()
