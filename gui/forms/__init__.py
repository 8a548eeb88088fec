"""Forms made from declarations: one row per setting, the editor chosen by the kind of its value."""
