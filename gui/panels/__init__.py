"""One panel per dock. A panel knows the document or is handed what it shows; panels never import each other."""
