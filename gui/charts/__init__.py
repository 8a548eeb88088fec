"""Charts of one or several runs, fed by timelines.

`panel.ChartPanel` is the content of the Charts dock. `state.ChartState` is what all its charts share (runs, time axis,
crosshair, plan); `chart.Chart` is one chart with its title, menu and export; `timechart.TimeChart` adds time, marks and
legend; `loss`, `rate`, `metric`, `gradient` and `speed` say which curves; `depth` draws bars per layer.
`thin`, `ticks`, `brackets` and `placing` are plain calculations. Charts read timelines and never change a run.
"""
