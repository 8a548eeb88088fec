"""What a drag of the mouse can mean: one class each, with start, move, finish and cancel. Never paints the scene."""
