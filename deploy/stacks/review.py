"""The review by a rule pack (cdk-nag, AWS Solutions): every finding is mended or has a reason here.

cdk-nag's own acknowledgments name a finding by its whole text, which holds generated names; a
pattern says for which kind of resource something is right.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import App
from cdk_nag import AwsSolutionsChecks


@dataclass(frozen=True)
class Finding:
    """What the rule pack says of one resource.

    Attributes:
        rule: Such as ``AwsSolutions-IAM5[Resource::*]``.
        path: The resource's place in the app, with slashes.
        description: What is wrong.
    """

    rule: str
    path: str
    description: str


@dataclass(frozen=True)
class Accepted:
    """Findings that are right as they are.

    Attributes:
        rule: A regular expression of the rule.
        path: A regular expression of the resource's place.
        reason: Why, for who audits it.
    """

    rule: str
    path: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Return whether a finding is one of these."""
        return bool(re.fullmatch(self.rule, finding.rule) and re.fullmatch(self.path, finding.path))


ACCEPTED = (
    Accepted(
        r"AwsSolutions-IAM5\[Resource::\*\]",
        r"roadside-(flink|model|gateway|retraining)/.*",
        "EC2's descriptions and ECR's token know no resources; nothing else is granted for all.",
    ),
    Accepted(
        r"AwsSolutions-IAM5\[Resource::arn:.*:ec2:.*:(network-interface|subnet|security-group)/\*\]",
        r"roadside-(flink|model|retraining)/.*",
        "The service makes and removes network interfaces under names of its own.",
    ),
    Accepted(
        r"AwsSolutions-IAM5\[Resource::.*/(features|decisions|capture|models|pipelines)/\*\]",
        r".*",
        "Objects below one prefix, whose names are made when they are written.",
    ),
    Accepted(
        r"AwsSolutions-IAM5\[Resource::arn:.*:log-group:.*:\*\]",
        r".*",
        "Log streams of one group, whose names are made when a process starts.",
    ),
    Accepted(
        r"AwsSolutions-IAM5\[Resource::arn:.*:(processing-job|training-job|model-package)/.*\*\]",
        r"roadside-retraining/JobRole/.*",
        "The pipeline makes jobs and versions under names of its own, below a beginning that is "
        "the product's.",
    ),
    Accepted(
        r"AwsSolutions-IAM5\[Resource::roadside-store:.*(Rows|Decisions).*Arn.*/\*\]",
        r"roadside-retraining/JobRole/.*",
        "Training reads rows and decisions of any day, and writes neither.",
    ),
    Accepted(
        r"AwsSolutions-SQS3",
        r"roadside-retraining/MissedStarts/Resource",
        "It is the dead-letter queue, of the schedule.",
    ),
    Accepted(
        r"AwsSolutions-S1",
        r"roadside-gateway/AccessLogs/Resource",
        "It takes the load balancer's access logs; a log of who writes logs would have no end.",
    ),
    Accepted(
        r"AwsSolutions-ECS2",
        r"roadside-gateway/Gateway/Task/Resource",
        "The variables are a bundle's place and a collector's settings; secrets come as secrets.",
    ),
    Accepted(
        r"AwsSolutions-EC23",
        r"roadside-network/Balancer/Resource",
        "The rule cannot read a parameter: who may come in is ClientCidr, no address of the "
        "internet by default.",
    ),
    Accepted(
        r"AwsSolutions-SMG4",
        r"roadside-store/Online/.*Password/Resource",
        "Rotated by hand: a new password is a deployment of the store, gateway and jobs.",
    ),
    Accepted(
        r"AwsSolutions-AEC6",
        r"roadside-store/Online/Store",
        "Users with passwords and commands of their own stand in the place of one AUTH token.",
    ),
    Accepted(
        r"AwsSolutions-KDF1",
        r"roadside-store/DecisionArchive/Archive",
        "Its source is a Kinesis stream, which is encrypted; it takes no key of its own then.",
    ),
    Accepted(
        r"AwsSolutions-KDS3",
        r"roadside-streams/.*",
        "A key of our own, so that who may read events is decided here; its calls are in the cost.",
    ),
)


def review(app: App) -> list[str]:
    """Return what is wrong with a synthesized app, a line each; an empty list is well.

    That is what the rule pack finds and nobody accepted, and what was accepted and is not found.
    """
    found = list(findings(app))
    not_accepted = [
        f"{finding.path}: {finding.rule}: {finding.description}"
        for finding in found
        if not any(accepted.covers(finding) for accepted in ACCEPTED)
    ]
    not_found = [
        f"{accepted.path}: {accepted.rule}: is accepted in deploy/stacks/review.py, but not found "
        "any more; remove it there"
        for accepted in ACCEPTED
        if not any(accepted.covers(finding) for finding in found)
    ]
    return not_accepted + not_found


def findings(app: App) -> Iterator[Finding]:
    """Yield what the rule pack finds in a synthesized app, warnings included."""
    for violation in AwsSolutionsChecks().validate_scope(app).violations:
        for resource in violation.violating_resources:
            yield Finding(violation.rule_name, str(resource.construct_path), violation.description)
