import json
import os

with open(os.path.join(os.environ["ASSAY_ARTIFACT"], "model.json")) as file:
    model = json.load(file)
loss = (model["w"] - 2) ** 2 + (model["b"] - 1) ** 2
answer = {"schema": "assay.evaluation/1", "metrics": {"loss": loss}, "feedback": f"on {model['on']}, torch {model['torch']}"}
with os.fdopen(int(os.environ["ASSAY_RESULT_FD"]), "w") as out:
    json.dump(answer, out)
