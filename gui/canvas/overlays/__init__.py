"""What floats over the canvas, one file each: path, value on show, zoom, verdict, minimap, empty state.

They know the board and call its commands; the board knows none of them.
"""
