"""
`flask worker`, for a Klaviyo without limits: the draining that is measured must not wait for them.

BENCHMARK_RUSH_AT is how many due deliveries make a rush; without it that is as always.
"""

import os
from dataclasses import replace

from vrio_klaviyo import lane, log, rush
from vrio_klaviyo.klaviyo.limits import LIMITS
from workers import jobs, worker
from workers.tools import Tools, utc_now

WITHOUT_END = 10**9


def unlimited(tools: Tools, rush_at: int) -> lane.Lane:
    """The lane of these tools, without limits."""
    return lane.Lane(
        db=tools.db,
        vault=tools.vault,
        http=tools.http,
        base_url=tools.settings.klaviyo_api_url,
        ring=tools.bells.ring,
        now=utc_now,
        stopping=lambda: tools.stopping,
        limits={path: replace(limit, burst=WITHOUT_END, steady=WITHOUT_END) for path, limit in LIMITS.items()},
        rush_at=rush_at,
    )


if __name__ == "__main__":
    log.configure("warning")
    jobs.tools().lane = unlimited(jobs.tools(), int(os.environ.get("BENCHMARK_RUSH_AT", rush.RUSH_AT)))
    worker.run()
