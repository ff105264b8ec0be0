"""What `kubectl get` shows: the cells of each kind's table. Source: kube-apiserver's printers."""
