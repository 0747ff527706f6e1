"""Which ways does a folder or profile go wrong? The whole table; each rule has its page in `docs/control-m-rules/`.

Levels: an error fails in Control-M, or loses, doubles, tears or leaks something, by itself; a warning does so when something
else also happens, or is refused by some versions; a note may be meant.
"""

from __future__ import annotations

from landbridge.deploy.controlm.lint import (
    declared,
    form,
    names,
    running,
    secrets,
    times,
    transfers,
    variables,
    watching,
)
from landbridge.deploy.controlm.lint.finding import Rule

RULES: tuple[Rule, ...] = (
    # Form
    Rule("json-broken", "error", "nothing is deployed", "V", form.broken),
    Rule("key-twice", "error", "the first of two settings is dropped without a word", "V", form.key_twice),
    Rule("nothing-to-check", "warning", "the wrong file was checked", "R", form.nothing_to_check),
    Rule(
        "key-invented", "error", "the build is refused, or the setting does nothing", "V", form.key_invented
    ),
    Rule(
        "key-misspelt", "error", "the build is refused, or the setting does nothing", "V", form.key_misspelt
    ),
    Rule("key-unknown", "warning", "the build is refused", "V", form.key_unknown),
    Rule("type-misspelt", "error", "the build is refused", "V", form.type_misspelt),
    Rule("value-kind", "error", "the build is refused", "V", form.value_kind),
    Rule("value-unknown", "error", "the build is refused", "V", form.value_unknown),
    Rule(
        "code-unconfirmed", "warning", "another release reads the code otherwise", "V", form.code_unconfirmed
    ),
    Rule("form-old", "note", "a later release no longer reads it", "V", form.form_old),
    Rule("simple-folder-when", "error", "the build is refused", "V", form.simple_folder_when),
    # Watching
    Rule("watcher-no-limit", "error", "a job waits for ever, and nobody is told", "D", watching.no_limit),
    Rule(
        "watcher-not-watching",
        "error",
        "the job fails when the file is not there yet",
        "D",
        watching.not_watching,
    ),
    Rule("watcher-first-file-only", "warning", "files move unchecked", "D", watching.first_file_only),
    Rule("watcher-empty-file", "note", "a file in the making is taken", "D", watching.size_unchecked),
    # Transfers
    Rule("transfers-too-many", "error", "the build is refused", "D", transfers.too_many),
    Rule("wildcard-bare", "error", "old files come again", "D", transfers.wildcard_bare),
    Rule("many-into-one", "error", "files replace one another", "R", transfers.many_into_one),
    Rule("manifest-first", "error", "a reader takes half a set for whole", "R", transfers.manifest_first),
    Rule("temp-name-missing", "warning", "a reader takes half a file", "D", transfers.no_temp_name),
    Rule("clean-up-missing", "warning", "half a file stays on the share", "D", transfers.no_clean_up),
    Rule("continue-on-failure", "error", "a manifest arrives without its data", "D", transfers.continues),
    Rule("transfer-ascii", "error", "bytes are changed on the way", "D", transfers.ascii_transfer),
    Rule("retries-none", "warning", "one lost connection fails the job", "D", transfers.no_retries),
    Rule("rerun-from-start", "warning", "files are delivered twice", "D", transfers.rerun_from_start),
    Rule("rerun-on-bucket", "warning", "the rerun fails", "D", transfers.rerun_on_bucket),
    Rule(
        "command-failure-ignored",
        "warning",
        "a file is not moved or removed, and the job is green",
        "D",
        transfers.command_failure_ignored,
    ),
    Rule("variable-period-lost", "warning", "a name matches nothing", "D", variables.period_lost),
    Rule("variable-runs-on", "error", "a name matches nothing", "D", variables.runs_on),
    Rule("variable-short-year", "note", "a name matches nothing", "D", variables.short_year),
    # Profiles, keys and secrets
    Rule("secret-literal", "error", "a secret leaks with the file", "D", secrets.literal),
    Rule("key-ed25519", "error", "the login is refused", "D", secrets.ed25519),
    Rule("login-by-password", "warning", "the login is refused", "D", secrets.no_login),
    Rule("host-public", "error", "files go over the internet", "D", secrets.host_public),
    Rule(
        "bytes-unverified",
        "warning",
        "a file that was cut short counts as delivered",
        "D",
        names.end_unverified,
    ),
    Rule(
        "profile-of-one-agent", "error", "the job fails on every other agent", "D", names.profile_of_one_agent
    ),
    # Times
    Rule("time-form", "error", "the build is refused", "D", times.time_form),
    Rule("zone-missing", "warning", "windows move with the server's clock", "D", times.zone_missing),
    Rule("zone-mixed", "error", "order dates of one folder drift apart", "D", times.zone_mixed),
    Rule("zone-label", "error", "the job is never ordered", "D", times.zone_label),
    Rule("window-empty", "error", "the job never starts", "R", times.window_empty),
    Rule("deadline-before-window", "error", "the job fails at once", "R", times.deadline_before_window),
    Rule("rerun-endless", "warning", "two days' jobs run side by side", "R", times.rerun_endless),
    Rule("calendar-ends", "warning", "a job is no longer ordered", "D", times.calendar_ends),
    Rule("schedule-never-ordered", "note", "the folder never runs", "D", times.schedule_never_ordered),
    # Names
    Rule("event-misspelt", "error", "a job never starts", "R", names.event_misspelt),
    Rule("event-not-added", "warning", "a job never starts", "R", names.event_not_added),
    Rule("event-not-awaited", "note", "a job that should wait does not", "R", names.event_not_awaited),
    Rule("flow-unknown-job", "error", "the build is refused", "V", names.flow_unknown_job),
    Rule("job-twice", "error", "one of two jobs is lost", "D", names.job_twice),
    Rule("name-twice", "error", "one of two folders or profiles is replaced", "R", names.name_twice),
    Rule("profile-not-given", "warning", "the deployment is refused", "R", names.profile_not_given),
    Rule("sla-alone", "error", "a late file raises no alarm", "D", names.sla_alone),
    Rule("sla-without-target", "error", "a late file raises no alarm", "D", names.sla_without_target),
    Rule("calendar-of-no-parent", "error", "the job is never ordered", "D", names.calendar_of_no_parent),
    # Running
    Rule("host-missing", "warning", "the job runs on the wrong host", "D", running.host_missing),
    Rule("pool-missing", "note", "the server refuses sessions", "R", running.pool_missing),
    Rule("late-untold", "warning", "nobody hears that a file is late", "R", running.late_untold),
    Rule("failure-untold", "warning", "nobody hears that a transfer failed", "R", running.failure_untold),
    Rule("dummy", "warning", "a job is green and did nothing", "D", running.dummy),
    Rule("confirm", "warning", "a job waits for a person", "D", running.confirm),
    Rule("set-to-ok", "error", "what follows goes on without the file", "D", running.set_to_ok),
    # Against the declaration
    Rule(
        "window-misses-run", "error", "a file is never taken", "R", declared.window_misses_run, declared=True
    ),
    Rule(
        "window-after-deadline",
        "error",
        "every file is late",
        "R",
        declared.window_after_deadline,
        declared=True,
    ),
    Rule(
        "alarm-after-deadline",
        "error",
        "the alarm comes too late",
        "R",
        declared.alarm_after_deadline,
        declared=True,
    ),
    Rule(
        "host-differs",
        "error",
        "files are taken from another server",
        "R",
        declared.host_differs,
        declared=True,
    ),
    Rule(
        "feed-without-job",
        "error",
        "a feed is never collected",
        "R",
        declared.feed_without_job,
        declared=True,
    ),
)
