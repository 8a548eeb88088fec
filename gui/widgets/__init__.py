"""Controls that every panel uses: fields, switches, states, progress. Owns no project data and knows no panel.

Import a control from its own module (`from gui.widgets.number_field import NumberField`): nothing is re-exported here,
so that importing one control does not load all of them.
"""
