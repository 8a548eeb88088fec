"""Steps from one project file format to the next, one module each: `to_2.py` has `migrate(data) -> data`."""
