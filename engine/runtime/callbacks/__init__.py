"""Callbacks at work: the built-in ones, one's own, and who calls them when. See `engine.callback` for the hook."""
