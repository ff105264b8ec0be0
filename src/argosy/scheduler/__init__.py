"""The scheduler: plugins over columns, gangs as one decision, devices by structured parameters.

`loop.Scheduler` is the way in; `plugins.table.PLUGINS` is what it decides by.
"""
