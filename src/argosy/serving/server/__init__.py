"""The model server: ONNX Runtime behind the Open Inference Protocol v2, over HTTP.

`model` checks and loads the model, `tensors` turns JSON into arrays and back, `app` is the
protocol, and `__main__` is the process. It starts in a pod, so every import costs a cold start.
"""
