"""What is counted, and under which name? The watch writes it, the alarms of the AWS templates listen to it."""

from __future__ import annotations

NAMESPACE = "Landbridge"
"""Of the CloudWatch metrics."""
LATE_SLOTS = "SlotsPastDeadline"
"""How many slots of an environment are past their deadline and not delivered; told after every look, 0 as well."""
DIMENSION = "Environment"
"""The one dimension of the metric; its value is `Needs.name`, such as `eidv-prd`."""
