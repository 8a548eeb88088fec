"""The window of Layerwright. Owns everything drawn and pressed; never computes with tensors.

Only `gui.checker`, `gui.training` and `gui.jobs` reach `engine.runtime`, and only inside functions, so that the window
shows before torch is loaded. Colours, sizes and fonts come from `gui.theme`; the style sheet from `gui.style`.
"""

from gui.overrides import install

install()
