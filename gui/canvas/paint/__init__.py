"""Painting of the canvas: each file draws one kind of thing. Never changes what it draws, never knows a gesture."""
