"""Review Insights: from a file of customer reviews to what went wrong, the sentence that proves it, and what to do."""

import os

os.environ["USE_HUB_KERNELS"] = "NO"  # transformers would fetch native code from a hub; it reads this as it is imported
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

__version__ = "0.3.0"
