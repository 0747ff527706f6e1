"""How does the loop of a test's own server end, with nothing left that the collector would complain of in some later test?"""

from __future__ import annotations

import asyncio


async def end_all() -> None:
    """Cancel every other task of the running loop, cut every connection, and see them end."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    # A client may have gone without the loop having seen it; asyncio itself has no list of them that is public.
    for transport in list(vars(asyncio.get_running_loop())["_transports"].values()):
        transport.abort()
    for _ in range(3):  # each end that was told, and what it leads to
        await asyncio.sleep(0)
