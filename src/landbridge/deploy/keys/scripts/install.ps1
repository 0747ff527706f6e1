<#
.SYNOPSIS
Installs one private SSH key for Control-M's managed file transfer on this agent: @NAME@
.DESCRIPTION
Written by `landbridge keys hand-over`. It holds no secret: the key is fetched, or comes on standard input.
Safe to run again, and to be cut off at any point. It replaces no other key. For Windows PowerShell 5.1 and later.
Exit codes: 0 installed, 64 usage, 69 cannot be fetched or checked here, 73 cannot be written, 76 another key, 77 not
permitted. With -Check: 0 installed, 1 not.
.PARAMETER AgentHome
The agent's home, which holds cm\AFT\data\Keys; else the environment variable CONTROLM.
.PARAMETER Account
The account that the agent's service runs as, by its name or its SID; else SYSTEM, by its SID: its name is another one in
each language of Windows. It and SYSTEM and the administrators may read the key, nobody else.
.PARAMETER FromStdin
Read the private key from standard input, instead of fetching it with `aws`.
.PARAMETER Check
Only say whether the key is installed.
.EXAMPLE
powershell -File @FILE@ -AgentHome 'C:\Program Files\BMC Software\Control-M Agent\Default' -Account 'DOMAIN\svc-ctm'
#>
param(
    [string]$AgentHome = $env:CONTROLM,
    [string]$Account = 'S-1-5-18',
    [switch]$FromStdin,
    [switch]$Check
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'

$Name = @NAME_QUOTED@
$Fingerprint = @FINGERPRINT_QUOTED@
$Secret = @SECRET_QUOTED@
$Version = @VERSION_QUOTED@
$Region = @REGION_QUOTED@

function Stop-With([int]$Code, [string]$Words) {
    [Console]::Error.WriteLine("error: $Words")
    exit $Code
}

# Lets this account and the named ones use a file, and nobody else.
function Protect-Key([string]$Path, $Others) {
    $rules = New-Object Security.AccessControl.FileSecurity
    $rules.SetAccessRuleProtection($true, $false)
    $me = [Security.Principal.WindowsIdentity]::GetCurrent().User
    foreach ($who in @($me) + $Others) {
        $rules.AddAccessRule((New-Object Security.AccessControl.FileSystemAccessRule $who, 'FullControl', 'Allow'))
    }
    $rules.SetOwner($me)
    Set-Acl -LiteralPath $Path -AclObject $rules
}

# Says whether a file holds the right private key. Nothing of it is printed.
# A copy is looked at that this account alone may read: ssh-keygen refuses a key that the agent's account may read, too.
function Test-Key([string]$Path) {
    $program = Get-Command ssh-keygen -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if (-not $program) {
        Stop-With 69 'ssh-keygen is not here, so the key cannot be checked: add the Windows feature "OpenSSH Client"'
    }
    $copy = Join-Path $keys ".$Name.$PID.test"
    try {
        [IO.File]::Open($copy, [IO.FileMode]::Create).Dispose()
        Protect-Key $copy @()
        [IO.File]::WriteAllBytes($copy, [IO.File]::ReadAllBytes($Path))
        $start = New-Object Diagnostics.ProcessStartInfo
        $start.FileName = $program.Path
        $start.Arguments = '-y -P "" -f "' + $copy + '"'
        $start.RedirectStandardOutput = $true
        $start.RedirectStandardError = $true
        $start.UseShellExecute = $false
        $process = [Diagnostics.Process]::Start($start)
        $errors = $process.StandardError.ReadToEndAsync()
        $line = $process.StandardOutput.ReadToEnd()
        $process.WaitForExit()
        $null = $errors.Result
        if ($process.ExitCode -ne 0) { return $false }
        $words = $line.Trim().Split(' ')
        if ($words.Length -lt 2) { return $false }
        $hash = [Security.Cryptography.SHA256]::Create()
        $digest = $hash.ComputeHash([Convert]::FromBase64String($words[1]))
        return ('SHA256:' + [Convert]::ToBase64String($digest).TrimEnd('=')) -ceq $Fingerprint
    }
    finally {
        if (Test-Path -LiteralPath $copy) { Remove-Item -LiteralPath $copy -Force }
    }
}

# Takes away what a run that was killed has left: a part, or the copy that it was testing, is a private key, too.
# What belongs to a run that is under way stays.
function Remove-Left {
    foreach ($file in Get-ChildItem -LiteralPath $keys -Filter ".$Name.*" -Force) {
        if ($file.Name -notmatch ('^\.' + [Regex]::Escape($Name) + '\.(\d+)(\.test)?$')) { continue }
        $owner = Get-Process -Id ([int]$Matches[1]) -ErrorAction SilentlyContinue
        if ($owner -and $owner.Id -ne $PID -and $owner.ProcessName -match '^(powershell|pwsh)') { continue }
        [IO.File]::Delete($file.FullName)
    }
}

# Who may read the key in the end: the administrators, SYSTEM and the agent's account.
$readers = @(
    (New-Object Security.Principal.SecurityIdentifier 'S-1-5-32-544'),
    (New-Object Security.Principal.SecurityIdentifier 'S-1-5-18'),
    $(if ($Account -match '^S-1(-\d+)+$') { New-Object Security.Principal.SecurityIdentifier $Account }
        else { New-Object Security.Principal.NTAccount $Account })
)
if (-not $AgentHome) { Stop-With 64 'name the home of the agent: -AgentHome DIR' }
$keys = Join-Path $AgentHome 'cm\AFT\data\Keys'
$target = Join-Path $keys $Name
if (-not (Test-Path -LiteralPath $keys -PathType Container)) {
    Stop-With 73 "there is no folder ${keys}: managed file transfer must be installed on this agent"
}
$part = Join-Path $keys ".$Name.$PID"
try {
    Remove-Left
    if (Test-Path -LiteralPath $target) {
        if (Test-Key $target) {
            if (-not $Check) { Protect-Key $target $readers }
            Write-Output "installed already: $Name ($Fingerprint)"
            exit 0
        }
        if ($Check) { exit 1 }
        Stop-With 76 "$target holds another key, or one that cannot be read here; it was left alone"
    }
    if ($Check) {
        Write-Output "not installed: $Name"
        exit 1
    }

    # Empty first: it is protected before anything secret is in it.
    [IO.File]::Open($part, [IO.FileMode]::CreateNew).Dispose()
    Protect-Key $part @()
    if ($FromStdin) {
        $text = [Console]::In.ReadToEnd()
    }
    else {
        if (-not (Get-Command aws -ErrorAction SilentlyContinue)) {
            Stop-With 69 'there is no aws command on this host: bring the key on standard input (-FromStdin)'
        }
        $lines = & aws secretsmanager get-secret-value --secret-id $Secret --version-id $Version --region $Region --query SecretString --output text
        if ($LASTEXITCODE -ne 0) { Stop-With 69 "the secret $Secret could not be fetched: see the lines above" }
        $text = $lines -join "`n"
    }
    # Line feeds and no byte order mark: what reads a PEM file stumbles over the others.
    $text = $text.Replace("`r`n", "`n").Trim() + "`n"
    [IO.File]::WriteAllText($part, $text, (New-Object Text.UTF8Encoding $false))
    $text = $null
    $lines = $null
    if (-not (Test-Key $part)) { Stop-With 76 "what came is not the key $Fingerprint; nothing was installed" }
    Protect-Key $part $readers
    # A move to a name that is taken fails, and replaces nothing.
    [IO.File]::Move($part, $target)
}
catch [UnauthorizedAccessException] {
    Stop-With 77 "$keys cannot be read and written by this account: run it as the agent's account or as an administrator"
}
catch [IO.IOException] {
    Stop-With 73 "the key cannot be written into ${keys}: $($_.Exception.Message)"
}
finally {
    if (Test-Path -LiteralPath $part) { Remove-Item -LiteralPath $part -Force }
}
Write-Output "installed: $Name ($Fingerprint)"
