"""What happens in the region: each act is done by a service, and then told to the model.

An act takes both sides and a source of chance. What the portal refuses raises its error, and the
model never hears of it.
"""

from collections.abc import Callable
from random import Random

from tests.oracle.collecting import (
    closes_an_album,
    lets_somebody_in,
    makes_an_album,
    opens_what_is_covered_now,
    puts_a_study_in,
    removes_somebody,
    takes_a_study_out,
)
from tests.oracle.giving import (
    asks_and_gets,
    breaks_the_glass,
    ends_a_share,
    ends_an_emergency,
    shares,
)
from tests.oracle.linking import ends_a_link, gives_a_link, lets_links
from tests.oracle.region import Twice
from tests.oracle.running import (
    a_tie_ends,
    account_closes_or_opens,
    an_agreement_ends,
    gains_a_role,
    joins_a_team,
    label_changes,
    leaves_a_team,
    loses_a_role,
    organization_rests_or_resumes,
    organization_tightens,
    region_decides,
    somebody_is_tied,
    time_passes,
    token_ends,
    two_agree,
)
from tests.oracle.saying import (
    amends,
    ends_a_proxy,
    excludes,
    lets_the_custodian_choose,
    names_a_proxy,
    opts_out,
    reaffirms,
    revokes,
    says,
    was_an_error,
)

Act = Callable[[Twice, Random], None]
OFTEN: tuple[Act, ...] = (
    says, says, says, lets_the_custodian_choose, lets_the_custodian_choose, shares, shares, shares,
    shares, shares, time_passes, revokes,
)  # fmt: skip
ACTS: tuple[Act, ...] = (
    *OFTEN, *OFTEN, *OFTEN,
    excludes, opts_out, was_an_error, amends, amends, reaffirms, names_a_proxy, ends_a_proxy,
    asks_and_gets, ends_a_share, breaks_the_glass, breaks_the_glass, ends_an_emergency,
    joins_a_team, joins_a_team, leaves_a_team, gains_a_role, loses_a_role,
    account_closes_or_opens, organization_rests_or_resumes, token_ends, region_decides,
    region_decides, organization_tightens, two_agree, two_agree,
    an_agreement_ends, somebody_is_tied, somebody_is_tied, somebody_is_tied, a_tie_ends,
    label_changes,
    makes_an_album, makes_an_album, puts_a_study_in, puts_a_study_in, puts_a_study_in,
    lets_somebody_in, lets_somebody_in, lets_somebody_in, opens_what_is_covered_now,
    takes_a_study_out, removes_somebody, closes_an_album,
    lets_links, lets_links, gives_a_link, gives_a_link, gives_a_link, ends_a_link,
)  # fmt: skip
