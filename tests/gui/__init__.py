"""Tests of the window: real key presses and mouse presses, no display needed."""
