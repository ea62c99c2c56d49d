"""Buckets and keys as all stacks make them: encrypted, private, versioned, TLS only."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy, aws_kms, aws_s3
from constructs import Construct

KEEP_REPLACED_DAYS = 30
GIVE_UP_UPLOAD_DAYS = 7


def key(scope: Construct, name: str, description: str) -> aws_kms.Key:
    """Return a key of our own that rotates and outlives its stack."""
    return aws_kms.Key(
        scope,
        name,
        description=description,
        enable_key_rotation=True,
        removal_policy=RemovalPolicy.RETAIN,
    )


def log_bucket(scope: Construct, name: str) -> aws_s3.Bucket:
    """Return a bucket for the access logs of others.

    Access logs are delivered to buckets with S3's own encryption only, and not logged themselves.
    """
    return aws_s3.Bucket(
        scope,
        name,
        encryption=aws_s3.BucketEncryption.S3_MANAGED,
        block_public_access=aws_s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=aws_s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        versioned=True,
        lifecycle_rules=[aws_s3.LifecycleRule(expiration=Duration.days(90))],
        removal_policy=RemovalPolicy.RETAIN,
    )


def bucket(
    scope: Construct,
    name: str,
    encryption_key: aws_kms.IKey,
    logs: aws_s3.IBucket,
    lifecycle_rules: Sequence[aws_s3.LifecycleRule] = (),
) -> aws_s3.Bucket:
    """Return a private bucket that outlives its stack.

    Args:
        scope: Where it belongs.
        name: Its construct's name; its own is made by CloudFormation.
        encryption_key: Encrypts all objects.
        logs: Where its access logs go.
        lifecycle_rules: Beside those that end old versions and uploads that were given up.
    """
    tidy = aws_s3.LifecycleRule(
        noncurrent_version_expiration=Duration.days(KEEP_REPLACED_DAYS),
        abort_incomplete_multipart_upload_after=Duration.days(GIVE_UP_UPLOAD_DAYS),
    )
    return aws_s3.Bucket(
        scope,
        name,
        encryption=aws_s3.BucketEncryption.KMS,
        encryption_key=encryption_key,
        bucket_key_enabled=True,
        block_public_access=aws_s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=aws_s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        versioned=True,
        server_access_logs_bucket=logs,
        server_access_logs_prefix=f"{name}/",
        lifecycle_rules=[tidy, *lifecycle_rules],
        removal_policy=RemovalPolicy.RETAIN,
    )
