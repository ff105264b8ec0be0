"""HorizontalPodAutoscalers: how many pods a target shall have, by what is measured of them.

`autoscaler` is the controller. It asks `scales` for the target's scale and `proposals` for a number
for each metric: `metrics` reads the metrics APIs, `podgroups` says which pods count, `replicas`
calculates. `behaviour` holds the number within the bounds in place and time, `verdict` puts it all
together, and `outcome` into the words of the status.
"""
