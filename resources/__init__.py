"""Files that travel with the program (icons, texts, examples). Owns no code and never reads anything itself."""
