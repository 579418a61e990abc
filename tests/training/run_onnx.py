"""Runs an ONNX file by ONNX Runtime: run_onnx.py FILE PIXELS OUT. PIXELS holds one batch of fp32, and
so will OUT."""
import sys

import numpy as np
import onnxruntime

path, pixels, out = sys.argv[1:]
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
shape = session.get_inputs()[0].shape[1:]
batch = np.fromfile(pixels, np.float32).reshape(-1, *shape)
session.run(None, {session.get_inputs()[0].name: batch})[0].tofile(out)
