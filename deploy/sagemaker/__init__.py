"""What runs on SageMaker: the container's image, and the pipeline that trains in it."""
