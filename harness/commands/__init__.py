"""One file a subcommand; its docstring's first line, after the colon, is its line in `stackline --help`."""
