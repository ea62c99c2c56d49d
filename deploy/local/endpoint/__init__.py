"""A stand-in for a SageMaker endpoint on this machine: real model processes, a small control side.

It speaks the two APIs that the product uses, the runtime's ``InvokeEndpoint`` and of the control
plane the operations of a promotion, so that gateway and ``deploy.promotion`` are the real ones.
CloudWatch and S3 are the emulator's.
"""
