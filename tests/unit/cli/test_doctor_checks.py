"""The doctor's judges, fed with facts by hand: each fact has its word."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from pi.ai.catalog import Entry
from pi.ai.models import ModelRef
from pi.base.errors import UsageError
from pi.cli import doctor_checks_files as files
from pi.cli import doctor_checks_machine as machine
from pi.cli import doctor_checks_models as models
from pi.cli import doctor_checks_online as online
from pi.cli import doctor_checks_skills as skills
from pi.cli.doctor_world import Asked, Found
from pi.commands.doctor import Check
from pi.sessions.validate import validate
from pi.skills.drift import Drift
from pi.skills.trust_store import TrustRecord
from tests.fakes.session_files import entry, rows

THERE = Found("s.jsonl", "file")


def said(checks: Iterable[Check]) -> list[str]:
    return [f"{check.key} {check.status} {check.code}" for check in checks]


@pytest.mark.parametrize(
    ("key", "verdict"),
    [
        (models.Key("p", "present", "P_KEY"), "pass present"),
        (models.Key("p", "missing", "P_KEY"), "fail missing"),
        (models.Key("p", "not_required", ""), "pass not_required"),
        (models.Key("p", "malformed", "P_KEY", why="a blank"), "fail malformed:a blank"),
        (models.Key("p", "missing", "P_KEY", mode="oauth-token"), "warn not_required_for_mode"),
    ],
)
def test_a_provider_has_a_way_in_and_a_key(key: models.Key, verdict: str) -> None:
    asked = (Asked("p/m", ModelRef("p", "m")),)
    checks = list(models.judge_models(models.Models(asked, (key,))))
    mode = key.mode.replace("-", "_")
    assert said(checks) == [
        "model pass p/m",
        f"provider_auth_mode.p pass {mode}",
        f"provider_key.p {verdict}",
    ]
    if verdict == "fail missing":
        assert checks[-1].action == "set P_KEY"


def test_a_model_that_is_none_fails_and_so_does_such_a_fallback() -> None:
    asked = (Asked("x", None, "no"), Asked("a/b", ModelRef("a", "b")), Asked("y", None, "never"))
    assert said(models.judge_models(models.Models(asked, ()))) == [
        "model fail invalid:x: no",
        "fallback_model.y fail invalid:y: never",
    ]


@pytest.mark.parametrize(
    ("entry_", "own", "verdict"),
    [
        (None, False, "warn not_in_catalog"),
        (None, True, "pass not_in_catalog"),
        (Entry("p", "m"), False, "pass known"),
        (Entry("p", "m", supports_tools=False), False, "fail takes_no_tools"),
        (Entry("p", "m", retires="2026-01-01"), False, "warn shut_down:2026-01-01"),
        (Entry("p", "m", retires="2026-06-01"), False, "pass known"),
    ],
)
def test_the_catalog_has_a_word_on_each_model(
    entry_: Entry | None, own: bool, verdict: str
) -> None:
    known = models.Known("p/m", entry_, own, "2026-03-01")
    assert said(models.judge_entries([known])) == [f"model_entry.p/m {verdict}"]


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (files.SessionPath(THERE, True, "", False), "warn session_disabled"),
        (files.SessionPath(THERE, False, "/f", True), "pass readable"),
        (files.SessionPath(Found("s", "folder"), False, "/f", True), "fail not_file"),
        (files.SessionPath(Found("s", "other"), False, "/f", True), "fail not_file"),
        (
            files.SessionPath(Found("s", "error", "denied"), False, "/f", True),
            "fail metadata_error:denied",
        ),
        (files.SessionPath(Found("s", "missing"), False, "/f", True), "warn missing_will_create"),
        (files.SessionPath(Found("s", "missing"), False, "/f", False), "fail missing_parent"),
        (files.SessionPath(Found("s", "missing"), False, "", False), "fail missing_parent"),
        (files.SessionPath(Found("s", "missing"), False, "", False, "e"), "fail none_chosen:e"),
    ],
)
def test_the_session_is_there_or_can_be(facts: files.SessionPath, verdict: str) -> None:
    (check,) = files.judge_session_path(facts)
    assert said([check]) == [f"session_path {verdict}"]
    assert check.path == facts.found.path
    assert bool(check.action) == (check.status != "pass")


def test_the_session_is_sound_torn_or_broken() -> None:
    def verdict(*records: dict[str, Any], torn: int = 0) -> list[str]:
        return said(
            files.judge_session_content(files.Content("s", validate("s", rows(*records), torn), 9))
        )

    assert verdict(entry(1, None)) == ["session_content pass valid:entries=1"]
    assert verdict(entry(1, None), torn=2) == ["session_content warn torn_end:line=2"]
    assert verdict(entry(1, 7)) == [
        "session_content fail invalid:duplicates=0,invalid_parent=1,cycles=0,bad_lines=0"
    ]
    nothing = files.Content("s", None, 0)
    assert said(files.judge_session_content(nothing)) == ["session_content pass nothing_there"]
    large = files.Content("s", None, 1 << 40)
    assert said(files.judge_session_content(large)) == [
        "session_content pass not_checked:too_large"
    ]
    foreign = files.Content("s", validate("s", rows()), 9, is_session=False)
    assert said(files.judge_session_content(foreign)) == ["session_content fail not_a_session"]


def test_the_folder_of_the_session_is_writable_or_not_needed() -> None:
    judge = files.judge_session_folder
    assert said(judge(files.SessionPath(THERE, True, "", False))) == [
        "session_folder pass not_needed"
    ]
    assert said(judge(files.SessionPath(THERE, False, "/f", True))) == [
        "session_folder pass writable"
    ]
    assert said(judge(files.SessionPath(THERE, False, "/f", False))) == [
        "session_folder fail not_writable"
    ]


def test_a_held_lock_names_its_holder() -> None:
    assert said(files.judge_session_lock(files.Held("l", ""))) == ["session_lock pass free"]
    assert said(files.judge_session_lock(files.Held("l", "held by process 7"))) == [
        "session_lock warn held_by_process_7"
    ]


@pytest.mark.parametrize(
    ("free", "verdict"),
    [(None, "pass unknown"), (0, "fail free_mib:0"), (5 << 20, "warn free_mib:5"),
     (1 << 40, "pass free_mib:1048576")],
)  # fmt: skip
def test_a_full_disk_is_told(free: int | None, verdict: str) -> None:
    assert said(files.judge_disk(files.Room("/", free))) == [f"disk_space {verdict}"]


def test_settings_files_parse_or_say_why_not() -> None:
    found = [
        files.SettingsFile("a", "read"),
        files.SettingsFile("b", "missing"),
        files.SettingsFile("c", "read", "not JSON"),
        files.SettingsFile("d", "untrusted", "not JSON"),
    ]
    assert said(files.judge_settings(found)) == [
        "settings_file pass read",
        "settings_file pass missing",
        "settings_file fail invalid:not JSON",
        "settings_file warn invalid:not JSON",
    ]


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (Found("c", "file", "", 0o600, 5), "pass mode:0600"),
        (Found("c", "file", "", 0o644, 5), "warn mode:0644"),
        (Found("c", "file", "", 0o600, 6), "fail owner:6"),
        (Found("c", "file", "", 0o600, 0), "pass mode:0600"),
        (Found("c", "folder"), "fail not_file:folder"),
        (Found("c", "error", "denied"), "fail not_file:denied"),
    ],
)
def test_only_their_owner_may_read_files_with_secrets(found: Found, verdict: str) -> None:
    checks = list(files.judge_credentials([files.Private(found, 5)]))
    assert said(checks) == [f"credential_file {verdict}"]
    assert said(files.judge_credentials([])) == ["credential_file pass none"]


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (Found("d", "folder"), "pass readable_dir"),
        (Found("d", "file"), "fail not_dir"),
        (Found("d", "other"), "fail not_dir"),
        (Found("d", "error", "denied"), "fail metadata_error:denied"),
        (Found("d", "missing"), "warn missing"),
    ],
)
def test_the_folder_of_skills_is_one(found: Found, verdict: str) -> None:
    assert said(skills.judge_folder(found)) == [f"skills_dir {verdict}"]


def test_lockfile_and_trusted_keys_can_be_read() -> None:
    there, bad, none = (
        skills.Readable("f", True),
        skills.Readable("f", True, "denied"),
        skills.Readable("f"),
    )
    assert said(skills.judge_lock(there)) == ["skills_lock pass readable"]
    assert said(skills.judge_lock(bad)) == ["skills_lock fail read_error:denied"]
    (missing,) = skills.judge_lock(none)
    assert (missing.code, missing.action) == ("missing", "run /skills-lock-write f")
    assert said(skills.judge_trust(there)) == ["trust_root pass readable"]
    assert said(skills.judge_trust(bad)) == ["trust_root fail read_error:denied"]
    assert said(skills.judge_trust(none)) == ["trust_root warn missing"]
    assert said(skills.judge_trust(skills.Readable(""))) == ["trust_root warn not_configured"]


def test_drift_names_a_few_files() -> None:
    def verdict(drift: Drift | None, error: str = "") -> str:
        return said(skills.judge_lock_content(skills.Content("l", drift, error)))[0]

    key = "skills_lock_content"
    assert verdict(None) == f"{key} pass nothing_locked"
    assert verdict(Drift(2, 2, (), (), (), ())) == f"{key} pass in_sync:entries=2"
    assert verdict(None, "no") == f"{key} fail invalid:no"
    drift = Drift(5, 1, tuple("abcde"), (), ("x",), ())
    assert verdict(drift) == f"{key} warn drift:missing=a,b,c,+2;changed=x"


GOOD = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8032, test 1


def test_trusted_keys_are_active_revoked_expired_or_bad() -> None:
    records = [
        TrustRecord("a", GOOD),
        TrustRecord("b", GOOD, revoked=True, expires_unix=1),
        TrustRecord("c", GOOD, expires_unix=100),
        TrustRecord("d", GOOD, expires_unix=101),
    ]
    found = skills.count_keys("t", records, 100)
    assert (found.active, found.revoked, found.expired, found.bad) == (2, 1, 1, ())
    key = "trust_root_content"
    assert said(skills.judge_trust_content(found)) == [f"{key} warn active=2,revoked=1,expired=1"]
    bad = [TrustRecord(name, key) for name, key in zip("wxyz", ("short", "é", "A" * 43 + "=", ""))]
    found = skills.count_keys("t", bad, 100)
    assert found.bad == tuple("wxyz")
    assert said(skills.judge_trust_content(found)) == [f"{key} fail bad_keys:w,x,y,+1"]
    judged = skills.judge_trust_content(skills.Trusted("t", error="no"))
    assert said(judged) == [f"{key} fail invalid:no"]
    judged = skills.judge_trust_content(skills.Trusted("t", 1, warnings=("others can write it",)))
    assert said(judged) == [f"{key} warn active=1,revoked=0,expired=0"]


@pytest.mark.parametrize(
    ("check", "verdict"),
    [
        (machine.judge_configuration(None), "configuration pass consistent"),
        (machine.judge_configuration(UsageError("no")), "configuration fail bad-usage:no"),
        (machine.judge_python((3, 8, 1)), "python fail 3.8.1"),
        (machine.judge_python((3, 9, 1)), "python pass 3.9.1"),
        (machine.judge_python((3, 99, 0)), "python warn 3.99.0"),
        (machine.judge_archive(machine.Archive("")), "archive pass checkout"),
        (machine.judge_archive(machine.Archive("p", 3)), "archive pass whole:members=3"),
        (machine.judge_archive(machine.Archive("p", 3, "m")), "archive fail damaged:m"),
        (machine.judge_tls(machine.Store("system", "f", 9)), "tls pass system:certificates=9"),
        (
            machine.judge_tls(machine.Store("given", "d")),
            "tls pass given:certificates=on_demand",
        ),
        (machine.judge_tls(machine.Store("none")), "tls fail no_certificates"),
        (machine.judge_tls(machine.Store("none", error="e")), "tls fail unusable:e"),
        (machine.judge_ed25519("pynacl"), "ed25519 pass pynacl"),
        (machine.judge_ed25519("pure"), "ed25519 pass pure_python"),
        (machine.judge_proxy(machine.Way()), "proxy pass direct"),
        (machine.judge_proxy(machine.Way("h:1 (from X)")), "proxy pass via:h:1_(from_X)"),
        (machine.judge_proxy(machine.Way("", "socks")), "proxy fail unusable:socks"),
        (
            machine.judge_terminal(machine.Screen(False, "xterm", 0, True)),
            "terminal pass not_a_terminal",
        ),
        (
            machine.judge_terminal(machine.Screen(True, "xterm", 80, True)),
            "terminal pass xterm:columns=80,color",
        ),
        (
            machine.judge_terminal(machine.Screen(True, "", 0, True)),
            "terminal pass unknown:columns=0,no_color",
        ),
        (machine.judge_encoding("utf-8"), "stdout_encoding pass utf-8"),
        (machine.judge_encoding("ascii"), "stdout_encoding warn ascii"),
        (machine.judge_encoding(""), "stdout_encoding warn closed"),
        (machine.judge_programs({"git": "/g", "rg": ""}), "programs pass git=yes,rg=no"),
        (machine.judge_sandbox({"mode": "unknown"}), "sandbox pass unknown:available=none"),
        (
            machine.judge_sandbox({"mode": "off", "confined": True, "launcher": "landlock"}),
            "sandbox pass off:available=landlock",
        ),
        (
            machine.judge_sandbox({"mode": "auto", "confined": True, "launcher": "bubblewrap"}),
            "sandbox pass auto:bubblewrap",
        ),
        (
            machine.judge_sandbox({"mode": "auto", "confined": False, "reason": "r"}),
            "sandbox warn auto:not_confined:r",
        ),
        (
            machine.judge_sandbox({"mode": "force", "confined": False, "reason": "r"}),
            "sandbox fail force:not_confined:r",
        ),
    ],
)
def test_each_fact_of_the_machine_has_its_word(check: Iterable[Check], verdict: str) -> None:
    assert said(check) == [verdict]


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (online.Answer("p", "u", 200), "pass answered:200"),
        (online.Answer("p", "u", 401), "fail key_refused:401"),
        (online.Answer("p", "u", 403), "fail key_refused:403"),
        (online.Answer("p", "u", 404), "pass reachable:404"),
        (online.Answer("p", "u", 429), "warn rate_limited:429"),
        (online.Answer("p", "u", 503), "warn server_error:503"),
        (online.Answer("p", "u", 0, "unknown-host", "no such host"),
         "fail unknown-host:no such host"),
        (online.Answer("p", "", code="built_in"), "pass not_asked:built_in"),
    ],
)  # fmt: skip
def test_each_answer_of_a_provider_has_its_word(answer: online.Answer, verdict: str) -> None:
    assert said(online.judge_answers(online.Answers((answer,), 0))) == [
        f"online.p {verdict}",
        "clock pass not_checked",
    ]


def test_the_clock_is_compared_with_the_nearest_answer() -> None:
    def clock(*dates: int) -> str:
        answers = tuple(online.Answer("p", "u", 200, date_ms=date) for date in dates)
        return said(online.judge_answers(online.Answers(answers, 1_000_000)))[-1]

    assert clock(998_000) == "clock pass skew_s:2"
    assert clock(0, 999_000) == "clock pass skew_s:1"
    assert clock(0) == "clock warn skew_s:1000"
    assert online.date_ms("Thu, 01 Jan 1970 00:00:01 GMT") == 1000
    assert [online.date_ms(text) for text in ("", "soon", "Thu, 99 Foo 9")] == [None] * 3


@pytest.mark.parametrize(
    ("base", "prompt", "expected"),
    [
        ("https://h/v1", "https://h/v1/chat", "https://h/v1/models"),
        ("https://h/v1/?a=b", "", "https://h/v1/models?a=b"),
        (
            "https://r/openai/deployments/d",
            "https://r/openai/deployments/d/chat/completions?api-version=9",
            "https://r/openai/models?api-version=9",
        ),
        ("https://r/openai/v1", "https://r/openai/v1/chat", "https://r/openai/v1/models"),
    ],
)
def test_the_list_of_models_is_beside_the_prompts(base: str, prompt: str, expected: str) -> None:
    assert online.models_url(base, prompt) == expected
