"""The canvas: a network as boxes and wires, drawn, moved, wired and watched.

    Document --project, selection, analysis--> Scene (boxes, wires: plain geometry) --> paint/* --> Surface (one pixmap)
    mouse and keys --> CanvasView --> one gesture at a time --> Document.edit

Everything is painted by us onto one widget, without a widget or graphics item per layer: at 1,000 layers the cost of
an item per layer (a Python call for each paint, twice that for wires) is what makes panning stutter. The picture is
kept in a pixmap; panning scrolls it and draws only the strip that came into view. `Scene` keeps boxes whose node did
not change, so an edit costs what it touches.

The canvas never changes a project by itself: every edit goes through `Document.edit`, and comes back as a change.
"""
