"""Networks from elsewhere as graphs: a live module is traced, every call becomes a layer of the catalogue.

    nn.Module --trace--> calls and their values --translate--> steps --nest--> boxes --levels--> Graph

Owns `import_module`. `trace` records one forward pass with torch.fx; `translate` turns modules (`layers`) and functions
(`operations`) into layers of the catalogue; `nest` puts steps into groups by module path; `levels` draws them, equal
siblings as a repeat; `prove` compares the rebuilt module with the original. What cannot be expressed is a Problem
that names the module path, the class or operation, and why. Works on any module that torch.fx can trace; knows no
particular network. `zoo` lists torchvision's classifiers and their weights;
`onnx` makes a module's calls out of an ONNX file, which then take the same way.
"""

from engine.runtime.importing.module import Imported, import_module

__all__ = ["Imported", "import_module"]
