"""Deploys the streaming application in two phases: its code to S3, then the stack that runs it.

The stack's template is the only place that says what the application is: its settings, its role,
and where its code lies. So code is changed as everything else is, by the stack, and never beside
it. What CloudFormation does not do for a job with state is done here: it is stopped with a
snapshot before the stack changes it, started from that afterwards, and taken back if it does not
start.
"""
