"""The command line: everything the window does, without one. Never imports Qt, and torch only once a command needs it.

`names.py` lists the commands, `parser.py` what each takes, `dispatch.py` runs one and turns whatever happens into an
exit code. What a command does stands in the module named after its subject; `output.py` is the only one that prints.
"""
