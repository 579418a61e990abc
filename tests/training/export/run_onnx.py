"""Runs an ONNX file by ONNX Runtime: run_onnx.py FILE PIXELS OUT SHAPE. PIXELS holds one batch of fp32 in
that shape, as in 2,1,48,48; OUT will hold the outputs, one after the other."""
import sys

import numpy as np
import onnxruntime

path, pixels, out, shape = sys.argv[1:]
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
batch = np.fromfile(pixels, np.float32).reshape([int(side) for side in shape.split(",")])
outputs = session.run(None, {session.get_inputs()[0].name: batch})
np.concatenate([output.ravel() for output in outputs]).tofile(out)
