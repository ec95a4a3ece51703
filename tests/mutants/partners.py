"""Faults in clients, their tokens, what they sign, and what they are told."""

from .mutant import Mutant

OUTGOING, ASSERTING = "sharing/kernel/outgoing.py", "sharing/partners/services/asserting.py"
DELIVERING, RULES = "sharing/notify/delivering.py", "sharing/partners/rules.py"
SENT, SIGNED = "tests/kernel/test_outgoing.py", "tests/faces/oauth/test_backend_services.py"
APPS, HOOKS = "tests/faces/oauth/test_apps.py", "tests/notify/test_webhooks.py"
SUBSCRIPTIONS = "tests/faces/fhir/test_subscriptions.py"
KNOCK = "test_a_subscription_is_active_when_its_endpoint_answered_and_then_told_by_a_knock_alone"
VALIDATOR, CONVENTIONS = "sharing/partners/validator.py", "portal/conventions.py"
KEPT = "tests/faces/api/test_kept_answers.py"
BAD = f"{SIGNED}::test_an_assertion_that_is_not_right_opens_nothing"

MUTANTS = (
    Mutant(
        "the portal knocks at private doors",
        OUTGOING,
        "    return address.is_global and",
        "    return True or",
        (f"{SENT}::test_no_spelling_of_an_address_reaches_a_door_of_our_own",),
    ),
    Mutant(
        "one public address of a name is enough",
        OUTGOING,
        "not all(_may_reach(address, target) for address in addresses)",
        "not any(_may_reach(address, target) for address in addresses)",
        (f"{SENT}::test_no_spelling_of_an_address_reaches_a_door_of_our_own",),
    ),
    Mutant(
        "the sender asks for a name twice",
        OUTGOING,
        "self._network.dial((self._target.at, self._target.port), self.timeout)",
        "self._network.dial((self._network.resolve(self._target.host, 0)[0][4][0], 0), 1)",
        (f"{SENT}::test_a_name_that_points_elsewhere_the_second_time_is_asked_once",),
    ),
    Mutant(
        "an answer may go on for ever",
        OUTGOING,
        "    end.start()\n",
        "",
        (f"{SENT}::test_an_answer_that_drips_is_cut",),
    ),
    Mutant(
        "an assertion is good for any endpoint",
        ASSERTING,
        "    meant = aud == token_address() or aud == [token_address()]\n",
        "    meant = bool(aud)\n",
        (BAD,),
    ),
    Mutant(
        "an assertion is good for as long as it says",
        ASSERTING,
        "not at < expires <= at + LASTS + LEEWAY:",
        "not at < expires:",
        (BAD,),
    ),
    Mutant(
        "an assertion is used again",
        ASSERTING,
        "    except IntegrityError as error:\n        raise AssertionRefused() from error\n",
        "    except IntegrityError:\n        pass\n",
        (f"{SIGNED}::test_an_assertion_is_used_once",),
    ),
    Mutant(
        "nobody looks at the signature",
        ASSERTING,
        "        jws.deserialize_compact(assertion, key, algorithms=list(ALGORITHMS))\n",
        "        pass\n",
        (BAD,),
    ),
    Mutant(
        "keys are taken from where a stranger says",
        ASSERTING,
        'or elsewhere or "crit" in header or "jwk" in header:',
        "or False:",
        (BAD,),
    ),
    Mutant(
        "a client may have any scope",
        "sharing/partners/validator.py",
        "return bool(scopes) and all(is_within(scope, client.scopes) for scope in scopes)",
        "return bool(scopes)",
        (
            f"{SIGNED}::test_only_what_the_administrator_gave_is_given",
            f"{APPS}::test_what_an_app_may_not_ask_for_gives_no_code",
        ),
    ),
    Mutant(
        "an app needs no scope",
        "sharing/tenants/rules.py",
        'return self.kind == "client" or self.token is not None',
        'return self.kind == "client"',
        (f"{APPS}::test_an_app_never_reaches_beyond_its_scope_nor_beyond_its_person",),
    ),
    Mutant(
        "an app is not named in the log",
        "sharing/tenants/rules.py",
        'client=self.client if self.app else "",',
        'client="",',
        (f"{APPS}::test_ada_lets_an_app_act_and_both_are_in_the_log",),
    ),
    Mutant(
        "anybody lets an app act",
        "sharing/oauth/views.py",
        "if client.organization_id != actor.organization_id or not actor.active:",
        "if not actor.active:",
        (f"{APPS}::test_nobody_of_another_organization_lets_it_act",),
    ),
    Mutant(
        "introspection tells everybody",
        "sharing/partners/validator.py",
        "    if not secret or client.client_type",
        "    return True\n    if not secret or client.client_type",
        (f"{APPS}::test_introspection_tells_a_client_about_tokens_of_its_own_organization",),
    ),
    Mutant(
        "webhooks hear of other houses",
        DELIVERING,
        "        if hook.organization.code == event.custodian and event.at >= hook.made_at\n",
        "        if event.at >= hook.made_at\n",
        (f"{HOOKS}::test_nobody_else_is_told_and_nothing_of_before",),
    ),
    Mutant(
        "a webhook hears of the past",
        DELIVERING,
        "event.custodian and event.at >= hook.made_at\n",
        "event.custodian\n",
        (f"{HOOKS}::test_nobody_else_is_told_and_nothing_of_before",),
    ),
    Mutant(
        "a delivery names the study unasked",
        DELIVERING,
        "if hook.names_studies and uid else {}",
        "if uid else {}",
        (f"{HOOKS}::test_arrivals_are_told_once_signed_and_without_the_patient",),
    ),
    Mutant(
        "a redirect is taken for an answer",
        DELIVERING,
        '"" if 200 <= answer.status < 300 else "status"',
        '"" if 200 <= answer.status < 400 else "status"',
        (f"{HOOKS}::test_what_nobody_takes_is_sent_again_and_at_last_given_up",),
    ),
    Mutant(
        "an old secret signs for ever",
        DELIVERING,
        "if rotated is not None and at < rotated + ROTATED_OVER:",
        "if rotated is not None:",
        (f"{HOOKS}::test_for_a_day_after_a_rotation_both_secrets_sign",),
    ),
    Mutant(
        "a subscription is told before its endpoint answered",
        DELIVERING,
        "filter(ended_at=None, paused=False, confirmed=True)",
        "filter(ended_at=None, paused=False)",
        (f"{SUBSCRIPTIONS}::{KNOCK}",),
    ),
    Mutant(
        "a subscription is sent what a webhook is",
        DELIVERING,
        '"" if hook.criteria else _body_of(made, data)',
        "_body_of(made, data)",
        (f"{SUBSCRIPTIONS}::{KNOCK}",),
    ),
    Mutant(
        "the old address answers for the new one",
        DELIVERING,
        "filter(pk=asked.pk, url=asked.url, confirmed=False)",
        "filter(pk=asked.pk, confirmed=False)",
        (f"{SUBSCRIPTIONS}::test_an_answer_from_the_old_address_says_nothing_of_the_new_one",),
    ),
    Mutant(
        "a part of a scope opens the whole",
        RULES,
        "if all(_by_smart(carried, resource, letter) for letter in letters)",
        "if any(_by_smart(carried, resource, letter) for letter in letters)",
        ("tests/partners/test_scopes.py::test_a_part_of_a_scope_opens_no_more_than_it_says",),
    ),
    Mutant(
        "a code used twice harms nobody",
        VALIDATOR,
        "        else:\n            self._used_again(code, request)",
        "",
        (f"{APPS}::test_a_code_used_twice_ends_what_it_gave",),
    ),
    Mutant(
        "a code that was overheard signs out",
        VALIDATOR,
        'fingerprint(f"{code} {challenge}")',
        "fingerprint(code)",
        (f"{APPS}::test_a_code_that_was_overheard_ends_nothing",),
    ),
    Mutant(
        "swapped tokens forget their code",
        VALIDATOR,
        "origin = before.origin if before else getattr",
        "origin = getattr",
        (f"{APPS}::test_a_code_used_twice_ends_what_it_gave",),
    ),
    Mutant(
        "a kept answer outlives what it tells of",
        CONVENTIONS,
        "            raise AnswerOver()",
        "            pass",
        (f"{KEPT}::test_ben_is_not_told_again_what_he_shared_on_once_pat_withdrew",),
    ),
    Mutant(
        "a link opens whatever the patient says",
        "sharing/exchange/services/opening.py",
        "actor is not None and Study.objects.visible_to(actor, at, Action.DISCOVER).exists()",
        "actor is not None",
        (f"{KEPT}::test_a_link_is_not_told_again_once_it_opens_nothing",),
    ),
)
