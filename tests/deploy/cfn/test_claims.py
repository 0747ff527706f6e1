"""Are the stacks what was promised? Each claim is also shown to fail on a template that lost it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deploy.cfn.claims import broken
from tests.deploy.cfn.other_claims import claims as other_claims
from tests.deploy.cfn.storage_claims import claims as storage_claims
from tests.deploy.cfn.variants import made

if TYPE_CHECKING:
    from tests.deploy.cfn.claims import Break, Claim

CLAIMS = (*storage_claims(), *other_claims())
CASES = [
    pytest.param(claim, change, id=f"{claim.name}-{change[0]}") for claim in CLAIMS for change in claim.breaks
]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_the_claim_holds(claim: Claim) -> None:
    assert claim.holds(made(claim.variant, claim.kind))


@pytest.mark.parametrize(("claim", "change"), CASES)
def test_a_template_that_lost_it_is_noticed(claim: Claim, change: Break) -> None:
    assert broken(claim, change[1])
