"""The tests of Layerwright. Owns no program code."""
