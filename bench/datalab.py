"""The other side of bench/datalab.ts: cleanlab's Datalab on the embeddings and labels that it is given, beside our scores.

    python datalab.py DIR NAME
"""

import json
import os
import sys
import warnings

warnings.filterwarnings("ignore")

import numpy as np
from cleanlab import Datalab
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

directory, name = sys.argv[1], sys.argv[2]
ours = json.load(open(os.path.join(directory, "ours.json")))
labels = np.array(ours["labels"])
features = np.fromfile(os.path.join(directory, "embeddings.f32"), "<f4").reshape(len(labels), -1)
probabilities = cross_val_predict(LogisticRegression(max_iter=300), features, labels, cv=5, method="predict_proba")
lab = Datalab(data={"label": labels}, label_name="label", verbosity=0)
lab.find_issues(features=features, pred_probs=probabilities, issue_types={one["type"]: {} for one in ours["types"]})
for one in ours["types"]:
    issues = lab.get_issues(one["type"])
    scores = issues[one["type"] + "_score"].to_numpy()
    theirs = issues["is_" + one["type"] + "_issue"].to_numpy()
    own = np.array(one["scores"]) * (1 if one["better"] else -1)
    flagged = np.array(one["flagged"]).astype(bool)
    rank = spearmanr(own, scores).statistic
    print(
        f"{name:24} {one['type']:16} Spearman {rank:.3f}; flagged by Datalab {theirs.sum()}, by us {flagged.sum()}, by both {(theirs & flagged).sum()}"
    )
