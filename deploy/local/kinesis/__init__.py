"""The Kinesis emulator of the local stack: ministack, mended where it is not as AWS is.

``python -m deploy.local.kinesis`` starts ministack with some of its functions replaced. It reads
ministack's environment variables (``deploy.local.emulator.environment`` has them).

| ministack | AWS, and here | why it matters here |
|---|---|---|
| rebuilds the list of all retained records at each request | drops what is expired | 52 thousand puts a second fell to 7 thousand at 300 thousand records |
| sweeps all iterators at each request | an iterator carries its own position | the same |
| ApproximateArrivalTimestamp in whole seconds | in milliseconds | the age of an event is judged against its arrival |
| a split or merge deletes the parent and its unread records | the parent is closed, and readable until retention | no event may be lost when a stream is resharded |
| any number of bytes in one GetRecords | at most 10 MB and 10,000 records | a reader that is behind gets its backlog in parts |
| never refuses | can be told to, by a stream's tags (``throttle``) | readers and writers must get through it |

Not as on AWS, still: a shard's limits of bytes and calls a second are not enforced, ListShards
knows no filter, and Firehose, Lambda and DynamoDB do not see the records.
"""  # noqa: E501 - a table's rows do not wrap
