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
HANDED_ON = "pipelines/executions"
"""Where in the bucket the steps of each execution leave their outputs for one another."""
MODELS = "models"
"""Where in the bucket each execution leaves its model: what serves may read nothing else there."""
INCUMBENT = "models/incumbent"
"""Where in the bucket the ``model.tar.gz`` of what serves is kept."""
