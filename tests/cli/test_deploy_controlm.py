"""What does `landbridge deploy controlm plan|apply|status` do, print and end with, in front of a Control-M that is a fake?"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING

import pytest

from tests.deploy.controlm_stage import FOLDER, PROFILES, Stage, stages
from tests.servers.certificates import Certificates, make

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def stage(
    certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Stage]:
    yield from stages(certificates, tmp_path, monkeypatch, capsys)


def test_it_runs(stage: Stage) -> None:
    import time
    res=[]
    for words in (("plan",), ("apply",), ("apply", "--profiles"), ("apply", "--profiles", "--yes"), ("status",), ("apply", "--yes"), ("plan",), ("status",)):
        t=time.time()
        ended = stage(*words)
        res+=["=====", words, ended.code, round(time.time()-t,2), ended.out,ended.err]
    f=copy.deepcopy(FOLDER)
    f["EIDV_PRD"]["SUMMARY_PULL"]["FileTransfers"][0]["Src"]="/outbound/x.csv"
    f["EIDV_PRD"]["SUMMARY_PULL"]["When"]["FromTime"]="0600"
    del f["EIDV_PRD"]["SUMMARY_LAND"]
    f["EIDV_PRD"]["OTHER"]={"Type":"Job:Bad","x":1}
    stage.write(folder=f)
    for w in (("plan",),("apply","--yes"),("apply","--yes-destroy","PRD")):
        ended = stage(*w)
        res+=["=====", w, ended.code, round(time.time()-t,2), ended.out,ended.err]
    stage.em.broken["EIDV_PRD_SFTP","mft-2"]="Auth fail"
    stage.em.agents["mft-1"]="Unavailable"
    del stage.em.folders["EIDV_PRD"]
    stage.write()
    ended = stage("status")
    res+=["=====", w, ended.code, round(time.time()-t,2), ended.out,ended.err]
    ended = stage("apply","--yes")
    res+=["=====", w, ended.code, round(time.time()-t,2), ended.out,ended.err]
    for one in res: print(one)
    assert 0
