"""Which scripts register the tasks of an environment on a Windows host, and run one of them?

For Windows PowerShell 5.1, which every Windows Server since 2016 has. No Windows was at hand: the scripts were not run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.deploy.hosts.endings import (
    CHECK_AT_ONCE,
    LONG,
    LONG_AT_ONCE,
    PAUSE,
    TRIES,
    Ending,
    codes,
    table,
)
from landbridge.deploy.hosts.installed import ending_well

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.deploy.hosts.jobs import Ground, Job

RUN = "Invoke-LandbridgeJob.ps1"
INSTALL = "Install-LandbridgeTasks.ps1"
UNINSTALL = "Uninstall-LandbridgeTasks.ps1"
LOG_SOURCE = "Landbridge"


def task_path(ground: Ground) -> str:
    """Give the folder of the Task Scheduler that the tasks are in."""
    return f"\\Landbridge\\{ground.name}\\"


def folder(ground: Ground) -> str:
    """Give the folder on the host that the script lies in; only administrators may write there."""
    return f"{ground.program.command.rpartition(chr(92))[0]}\\schedule\\{ground.name}"


def arguments(ground: Ground, job: Job, words: Sequence[str]) -> str:
    """Give the command line of a task behind `powershell.exe`; every word of the program in quotes."""
    program = " ".join(f'"{ending_well(word)}"' for word in words)
    script = f'"{folder(ground)}\\{RUN}"'
    return f"-NoProfile -NonInteractive -ExecutionPolicy RemoteSigned -File {script} {job.name} {program}"


def _log(ground: Ground) -> str:
    return _literal(f"Landbridge\\logs\\{ground.name}")


def _literal(text: str) -> str:
    """Write a text as PowerShell takes it word for word."""
    return "'" + text.replace("'", "''") + "'"


def run(ground: Ground) -> str:
    """Give the script that runs one job: tries again what may pass, and writes to the event log what must be told."""
    listed = "\n".join(f"# {line}" for line in table(CHECK_AT_ONCE, LONG_AT_ONCE).splitlines())
    again = ", ".join(map(str, codes(Ending.AGAIN)))
    done = ", ".join(map(str, codes(Ending.DONE)))
    return f"""# Runs one job of {ground.name}: {RUN} JOB PROGRAM ARGUMENT...; rendered by `landbridge deploy schedule render`.
# The Task Scheduler does not run a task again for an exit code, so this script does, and tells through the event log.
{listed}
$ErrorActionPreference = 'Stop'
$job = $args[0]
$program = $args[1]
$words = @($args | Select-Object -Skip 2)
$again = @({again})
$done = @({done})
$log = Join-Path $env:ProgramData {_log(ground)}
$file = Join-Path $log ($job + (Get-Date -Format '-yyyy-MM') + '.log')

function Write-Told([string]$type, [int]$id, [string]$text) {{
    # The source is registered by {INSTALL}.
    try {{ [System.Diagnostics.EventLog]::WriteEntry({_literal(LOG_SOURCE)}, $text, $type, $id) }}
    catch {{ Add-Content -LiteralPath $file -Encoding UTF8 -Value ('event log: ' + $_) }}
}}

# Windows ends what lasts longer than its time limit, this script with it: what is left behind is told at the next start.
$mark = Join-Path $log ($job + '.running')
if (Test-Path -LiteralPath $mark) {{
    $since = (Get-Content -LiteralPath $mark -Raw).Trim()
    Write-Told 'Error' 75 "{ground.name} ${{job}}: the run of $since on $env:COMPUTERNAME was ended from outside: it hung, or the host stopped"
}}
Set-Content -LiteralPath $mark -Encoding UTF8 -Value ('{{0:o}}' -f (Get-Date))

for ($try = 1; ; $try++) {{
    $began = Get-Date
    Add-Content -LiteralPath $file -Encoding UTF8 -Value ('{{0:o}} start {{1}}' -f (Get-Date), $try)
    # Errors of the program are lines of its log, not errors of this script.
    $ErrorActionPreference = 'Continue'
    $global:LASTEXITCODE = $null
    & $program @words 2>&1 | ForEach-Object {{ "$_" }} | Add-Content -LiteralPath $file -Encoding UTF8
    $code = $LASTEXITCODE
    # A program that is not there leaves none, and a crash one that is no event's number: both are told as a bug.
    if (($null -eq $code) -or ($code -lt 0) -or ($code -gt 255)) {{ $code = 70 }}
    $ErrorActionPreference = 'Stop'
    Add-Content -LiteralPath $file -Encoding UTF8 -Value ('{{0:o}} ended with {{1}}' -f (Get-Date), $code)
    if ($done -contains $code) {{ Remove-Item -LiteralPath $mark; exit $code }}
    # A run that long has waited out its window in vain.
    $long = ((Get-Date) - $began).TotalSeconds -ge {int(LONG.total_seconds())}
    # The next try of a check might look past its deadline: what it could not see is told now.
    if (($again -notcontains $code) -or ($job -like 'late-*') -or $long -or ($try -ge {TRIES})) {{ break }}
    Start-Sleep -Seconds {int(PAUSE.total_seconds())}
}}
Remove-Item -LiteralPath $mark
$tail = (Get-Content -LiteralPath $file -Tail 40) -join "`n"
if ($tail.Length -gt 20000) {{ $tail = $tail.Substring($tail.Length - 20000) }}  # an event takes 31,839 characters
Write-Told 'Error' $code ("{ground.name} $job failed with $code on $env:COMPUTERNAME`n`n$tail")
exit $code
"""


def install(ground: Ground, names: Sequence[str]) -> str:
    """Give the script that registers all tasks; it asks for a password only where the account has one."""
    listed = ", ".join(map(_literal, names))
    account = _literal(ground.program.account)
    return f"""#Requires -RunAsAdministrator
#Requires -Version 5.1
# Registers the tasks of {ground.name}; run it again after every rendering. Rendered by `landbridge deploy schedule render`.
# A group managed service account (its name ends in $) has no password to type, and none is stored anywhere. Another account's
# password is asked for, and kept by Windows. An account that logs on without one (S4U) could not reach a share: it is not offered.
$ErrorActionPreference = 'Stop'
$account = {account}
$names = @({listed})
$target = {_literal(folder(ground))}
$log = Join-Path $env:ProgramData {_log(ground)}

New-Item -ItemType Directory -Force -Path $target, $log | Out-Null
Copy-Item -LiteralPath (Join-Path $PSScriptRoot {_literal(RUN)}) -Destination $target -Force
# Whoever may write the script may run anything as the account: only administrators may.
& icacls.exe $target /inheritance:r /grant:r '*S-1-5-32-544:(OI)(CI)F' '*S-1-5-18:(OI)(CI)F' ($account + ':(OI)(CI)RX') | Out-Null
if ($LASTEXITCODE -ne 0) {{ throw "icacls $target ended with $LASTEXITCODE" }}
& icacls.exe $log /grant ($account + ':(OI)(CI)M') | Out-Null
if ($LASTEXITCODE -ne 0) {{ throw "icacls $log ended with $LASTEXITCODE" }}

if (-not [System.Diagnostics.EventLog]::SourceExists({_literal(LOG_SOURCE)})) {{
    New-EventLog -LogName Application -Source {_literal(LOG_SOURCE)}
}}

$who = @{{}}
if (-not $account.EndsWith('$')) {{
    $credential = Get-Credential -UserName $account -Message 'Password of the service account'
    $who = @{{ User = $account; Password = $credential.GetNetworkCredential().Password }}
}}
foreach ($name in $names) {{
    $xml = Get-Content -Raw -Encoding UTF8 -LiteralPath (Join-Path $PSScriptRoot ($name + '.xml'))
    # Register-ScheduledTask takes text, whose declaration of an encoding would be wrong.
    $xml = $xml -replace '^<\\?xml[^>]*\\?>', ''
    Register-ScheduledTask -TaskPath {_literal(task_path(ground))} -TaskName $name -Xml $xml -Force @who | Out-Null
}}
Get-ScheduledTask -TaskPath {_literal(task_path(ground))} |
    Where-Object {{ $names -notcontains $_.TaskName }} |
    ForEach-Object {{ Write-Warning ($_.TaskName + ' is not rendered any more: Unregister-ScheduledTask removes it') }}
Get-ScheduledTask -TaskPath {_literal(task_path(ground))} | Get-ScheduledTaskInfo |
    Format-Table TaskName, NextRunTime, LastTaskResult
"""


def uninstall(ground: Ground, names: Sequence[str]) -> str:
    """Give the script that removes all tasks and leaves logs, keys and the declaration."""
    listed = ", ".join(map(_literal, names))
    return f"""#Requires -RunAsAdministrator
# Removes the tasks of {ground.name}. Logs, keys and the declaration stay.
$ErrorActionPreference = 'Stop'
foreach ($name in @({listed})) {{
    Unregister-ScheduledTask -TaskPath {_literal(task_path(ground))} -TaskName $name -Confirm:$false -ErrorAction Continue
}}
Remove-Item -Recurse -Force -LiteralPath {_literal(folder(ground))}
"""


def readme(ground: Ground) -> str:
    """Say how the files come onto a host, and what the Task Scheduler cannot say."""
    to = " ".join(ground.mail) or "nobody: `host.mail` is empty"
    return f"""# Windows Task Scheduler: {ground.name}

In an elevated Windows PowerShell on every host that collects for {ground.environment} (the install page: `docs/hosts-windows.md`):

```powershell
.\\{INSTALL}
Start-ScheduledTask -TaskPath '{task_path(ground)}' -TaskName sweep      # a trial
Get-EventLog -LogName Application -Source {LOG_SOURCE} -Newest 5         # what was told
```

What the Task Scheduler cannot say:

- Another time zone than the host's, except UTC. Every trigger is in UTC, at each difference that the feed's zone has to it; the
  program knows which start is due, and ends the other at once.
- Holidays. The program ends at once on a day without a slot.
- Exit codes. `{RUN}` tries again, and writes an event of the source `{LOG_SOURCE}` to the log *Application* whose id is the exit code.
  `RestartOnFailure` counts only for a task that could not be started.
- Mail: the action was removed in Windows Server 2012. Let your monitoring watch for errors of the source `{LOG_SOURCE}`
  (to be told: {to}).
"""
