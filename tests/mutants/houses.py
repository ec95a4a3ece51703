"""Faults in sign-in by SAML, and in how an organization's own machines are called."""

from .mutant import Mutant

SAML, ECHO = "portal/saml.py", "tests/office/test_machines.py"
CAME = "tests/saml/test_sign_in.py"
FORGED = f"{CAME}::test_what_the_house_did_not_sign_lets_nobody_in"
OTHERS = f"{CAME}::test_what_is_for_others_or_over_or_of_others_lets_nobody_in"
ONCE = f"{CAME}::test_an_answer_is_for_the_browser_that_asked_and_once"

MUTANTS = (
    Mutant(
        "a signed message is enough, whatever it holds",
        SAML,
        '"wantAssertionsSigned": True',
        '"wantAssertionsSigned": False',
        (FORGED,),
    ),
    Mutant(
        "what the library lets be absent in an answer may be absent",
        SAML,
        'return any(_confirms(each, _at("saml_acs", realm), asked) for each in found)',
        "return True",
        (OTHERS,),
    ),
    Mutant(
        "an answer is for any browser that brings it",
        SAML,
        "state = provider.unstash_redirect_state(request, asked)",
        'state = {"process": "login", "next": "/"}',
        (ONCE,),
    ),
    Mutant(
        "a name that is another's tomorrow is a subject",
        SAML,
        '"" if response.get_nameid_format() == TRANSIENT else ',
        "",
        (OTHERS,),
    ),
    Mutant(
        "a system inside is called by C-ECHO",
        "sharing/kernel/outgoing.py",
        'return resolved(Target(host, port, "", secure=False), network)',
        'return Target(host, port, "", secure=False, at=network.resolve(host, port)[0][4][0])',
        (f"{ECHO}::test_no_system_inside_the_portals_network_is_called",),
    ),
    Mutant(
        "a webhook that rests is sent a test",
        "sharing/notify/delivering.py",
        "organization_id=organization_id, ended_at=None, paused=False)",
        "organization_id=organization_id, ended_at=None)",
        (f"{ECHO}::test_a_webhook_that_refuses_fails_the_test_unless_it_rests",),
    ),
    Mutant(
        "what is done is owed again with what was given up",
        "sharing/outbox/services.py",
        "given_up = Job.objects.filter(task=task, done_at=None).exclude(parked_at=None)",
        "given_up = Job.objects.filter(task=task)",
        ("tests/outbox/test_outbox.py::test_what_was_given_up_is_owed_again_with_all_its_tries",),
    ),
    Mutant(
        "a command opens the region without a word",
        "sharing/office/management/commands/region.py",
        'if opened and said.get("understood") != "yes":',
        "if False:",
        (
            "tests/office/test_commands.py::test_the_regions_rules_are_set_and_what_opens_is_said_first",
        ),
    ),
)
