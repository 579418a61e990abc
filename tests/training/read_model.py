"""What Python's safetensors finds in a model file, as JSON: read_model.py FILE."""
import json
import sys

from safetensors import safe_open

with safe_open(sys.argv[1], "np") as file:
    print(
        json.dumps(
            {
                "metadata": file.metadata(),
                "shapes": {name: file.get_slice(name).get_shape() for name in file.keys()},
                "head.bias": file.get_tensor("head.bias").tolist(),
            }
        )
    )
