"""Ways of running a container, one file each, all behind `interface.Runtime`.

The node picks one by the pod's RuntimeClass from a visible table (`NodeAgent`'s `runtimes`). A new
runtime is one new file here and one line in that table. There is no default: a pod that names no
RuntimeClass waits and says so.
"""
