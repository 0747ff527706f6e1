import os, random, signal, sys, time, pathlib
import pytest
from tests.cli.test_land_command import agent, Agent, NAMED
from tests.cli.test_collect_command import host, Host
N=int(os.environ.get("N","40"))
@pytest.mark.timeout(190)
def test_any_time_after_looking(agent):
    agent.prepare(); bad=[]
    rnd=random.Random(os.getpid())
    for n in range(N):
        number = rnd.choice([signal.SIGINT, signal.SIGTERM])
        d = rnd.choice([rnd.random()*0.15, rnd.random()*1.0])
        with agent.looking(*NAMED, "--wait", "60s") as p:
            time.sleep(d); p.send_signal(number)
            out, err = p.communicate(timeout=50)
        if p.returncode != 130 or len(out.splitlines())!=1 or "Traceback" in err or "Exception ignored" in err:
            bad.append((d, number, p.returncode, out, err))
    for b in bad: print(b)
    assert not bad
@pytest.mark.timeout(190)
def test_collect_any_time(host):
    bad=[]; rnd=random.Random(os.getpid()+1)
    for n in range(N):
        for f in "abcd": host.at.release(bytes(20000), feed=f+str(n))
        number = rnd.choice([signal.SIGINT, signal.SIGTERM])
        d = 0.45+rnd.random()*0.8
        with host.start("--watch", "--every", "1s") as p:
            time.sleep(d); p.send_signal(number)
            try: out, err = p.communicate(timeout=20)
            except Exception as e: bad.append((d,number,"HANG",repr(e))); p.kill(); continue
        if p.returncode != 130 or "Traceback" in err or "Exception ignored" in err:
            bad.append((d, number, p.returncode, out, err))
    for b in bad: print(*b)
    assert not bad
