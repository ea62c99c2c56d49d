"""What every execution's jobs have in common."""

LONGEST_S = {"process": 4 * 3600, "gates": 3600, "train": 4 * 3600, "evaluate": 3600}
"""Each step's timeout."""
VOLUME_GB = 100
"""Of the archive and of what DuckDB puts on disk."""
CACHED_FOR = "P30D"
"""A step with the same arguments is not run again within this time."""
ROOT = "/opt/ml/processing"
REASON = "/opt/ml/output/message"
"""SageMaker shows the first kilobyte of it as the job's exit message."""
EVALUATION_FILE = "evaluation.json"
CONTENT_TYPES = ("application/x-msgpack", "application/json")
"""What the endpoint reads and writes."""
INFERENCE_INSTANCES = ("ml.c6i.large", "ml.c6i.xlarge", "ml.c6i.2xlarge")
PLACE = "retraining"
"""The folder in the bucket under which each execution has its own."""
INCUMBENT = "incumbent"
"""The folder in the bucket with the ``model.tar.gz`` of what serves."""
