"""Which keys, values and kinds of values does the Automation API know, as far as folders of file transfers use them?

Literal tables: of what a table does not name nothing is claimed. Source: the vendor's public client
(`ctm-python-client` 2.6.6), samples and snippets; BMC, Control-M Automation API, "Code Reference".
"""

from __future__ import annotations


def _keys(words: str) -> frozenset[str]:
    return frozenset(words.split())


_JOB = _keys(
    "Type Name Comment Description CreatedBy Application SubApplication Host RunAs When Rerun "
    "RerunLimit RerunMember RerunIntervals RerunSpecificTimes Confirm Critical Priority Variables "
    "DocumentationFile DocumentationUrl TimeZone DaysKeepActive EndFolder RunOnAllAgentsInGroup "
    "RetroactiveOrder PreCommand PostCommand Output PathElement ControlmServer RunAsDummy Library "
    "Folder OverridePath ActiveRetentionPolicy DaysKeepActiveIfNotOk RunAsDetached "
    "AdditionalParameters Site SiteStandard BusinessFields JobTags Tags Adhoc"
)
_FOLDER = _keys(
    "Type Name Comment Description CreatedBy ControlmServer Application SubApplication Host RunAs "
    "When Rerun Confirm Priority Variables DocumentationFile DocumentationUrl TimeZone DaysKeepActive "
    "DaysKeepActiveIfNotOk ActiveRetentionPolicy AdjustEvents BusinessFields SiteStandard OrderMethod "
    "RerunMember RerunLimit FolderLibrary Defaults Jobs PathElement ReferencePath Library Folder Server RerunIntervals "
    "RerunSpecificTimes CyclicType Tags DocumentationType"
)
_PROFILE = _keys(
    "Type Comment Description Centralized TargetAgent TargetCTM WorkloadAutomationUsers "
    "WorkloadAutomationGroups HostName Port User Password Passphrase PrivateKeyName HomeDirectory "
    "OsType ConnType Conntype VerifyBytes VerifyChecksum VerifyDestination AdditionalParameters"
)
_FTPS = _keys("ConnectionMode SecurityLevel SSLLevel SSLImplicit ClearDataChannel ClearCommandChannel")

TYPES: dict[str, frozenset[str]] = {
    "Folder": _FOLDER,
    "SimpleFolder": _FOLDER,
    "SubFolder": _FOLDER,
    "Job:Command": _JOB | {"Command"},
    "Job:Script": _JOB | {"FileName", "FilePath", "Arguments"},
    "Job:EmbeddedScript": _JOB | {"Script", "FileName"},
    "Job:Dummy": _JOB,
    "Job:SLAManagement": _JOB
    | _keys(
        "ServiceName ServicePriority CompleteBy CompleteIn AverageRunTime AverageRunTimeTolerance "
        "JobRunsDeviationsTolerance"
    ),
    "Job:FileWatcher:Create": _JOB
    | _keys(
        "Path SearchInterval TimeLimit StartTime StopTime MinimumSize FileSizeInterval Iterations "
        "Wildcard WildCard MinimalAge MaximalAge"
    ),
    "Job:FileWatcher:Delete": _JOB | _keys("Path SearchInterval TimeLimit StartTime StopTime"),
    "Job:FileTransfer": _JOB
    | _keys(
        "ConnectionProfileSrc ConnectionProfileDest ConnectionProfileDualEndpoint FileTransfers "
        "NumberOfRetries RerunFromPointOfFailure EndJobNOTOK S3BucketName S3BucketNameSrc "
        "S3BucketNameDest AzureContainerNameSrc AzureContainerNameDest GCSBucketNameSrc GCSBucketNameDest "
        "SharePointSiteNameSrc SharePointSiteNameDest SharePointDocumentLibraryNameSrc "
        "SharePointDocumentLibraryNameDest OCIBucketNameSrc OCIBucketNameDest"
    ),
    "ConnectionProfile:FileTransfer:SFTP": _PROFILE | {"SSHCompression"},
    "ConnectionProfile:FileTransfer:FTP": _PROFILE | {"ConnectionMode"},
    "ConnectionProfile:FileTransfer:FTPS": _PROFILE | _FTPS,
    "ConnectionProfile:FileTransfer:Local": _PROFILE,
    "Endpoint:Src:SFTP": _PROFILE | {"SSHCompression"},
    "Endpoint:Dest:SFTP": _PROFILE | {"SSHCompression"},
    "Endpoint:Src:FTP": _PROFILE | {"ConnectionMode"},
    "Endpoint:Dest:FTP": _PROFILE | {"ConnectionMode"},
    "Endpoint:Src:FTPS": _PROFILE | _FTPS,
    "Endpoint:Dest:FTPS": _PROFILE | _FTPS,
    "Endpoint:Src:Local": _PROFILE,
    "Endpoint:Dest:Local": _PROFILE,
    "ConnectionProfile:FileTransfer:DualEndPoint": _PROFILE,
    "WaitForEvents": _keys("Type Events Comment"),
    "AddEvents": _keys("Type Events Comment"),
    "DeleteEvents": _keys("Type Events Comment"),
    "Event:Add": _keys("Type Event Date OrderDate"),
    "Event:Delete": _keys("Type Event Date OrderDate"),
    "Flow": _keys("Type Sequence Comment"),
    "If:CompletionStatus": _keys("Type CompletionStatus Comment"),
    "Action:Mail": _keys("Type To CC Subject Message AttachOutput Urgency"),
    "Action:Notify": _keys("Type Message Destination Urgency"),
    "Action:Run": _keys("Type Folder Job Library Lib ControlmServer Date Variables RunAsIndependentFlow"),
    "Action:Set": _keys("Type Variable Value"),
    "Resource:Pool": _keys("Type Quantity IfFail IfOk"),
    "Resource:Lock": _keys("Type LockType IfFail"),
    "Resource:Semaphore": _keys("Type Quantity IfFail IfOk"),
    "Resource:Mutex": _keys("Type MutexType IfFail"),
    "Notify:OK": _keys("Type Message Destination Urgency"),
    "Notify:NotOK": _keys("Type Message Destination Urgency"),
    "Notify:Rerun": _keys("Type Message Destination Urgency"),
    "Notify:DoesNotStart": _keys("Type By Days Message Destination Urgency"),
    "Notify:DoesNotEnd": _keys("Type By Days Message Destination Urgency"),
    "Notify:ExecutionTime": _keys("Type Criteria Value Message Destination Urgency"),
    "Notify:LateCyclicSubmit": _keys("Type By Message Destination Urgency"),
}
"""Keys by the type of the object. A key whose value has a `Type` of its own bears a name that people give."""

NEIGHBOURS = frozenset({"ConnectionProfile:FileTransfer", "ConnectionProfile:FileTransfer:S3"})
"""Types whose keys are not listed, and that look like misspellings of those whose keys are."""

_COMMAND = _keys("action arg1 arg2")
PARTS: dict[str, frozenset[str]] = {
    "FileTransfers": _keys(
        "Src Dest TransferType TransferOption SRC_PATTERN FileWatcherOptions PreCommandSrc PreCommandDest "
        "PostCommandSrc PostCommandDest IncrementalTransfer SimultaneousTransfer PgpEncryption "
        "DestinationFilename AddTempFilePrefix AddTempFileSuffix DeleteFileOnDestIfFails "
        "ContinueOnFailure FailJobOnSourceCommandFailure FailJobOnDestCommandFailure "
        "FailJobOnSourceActionFailure FailJobOnDestActionFailure CreateEmptyFileDest As2Subject "
        "As2Message ABSTIME TIMELIMIT UNIQUE SRCOPT DSTOPT IF_EXIST RECURSIVE EXCLUDE_WILDCARD TRIM "
        "NULLFLDS VERNUM CASEIFS Comment"
    ),
    "FileWatcherOptions": _keys(
        "MinDetectedSizeInBytes MinFileAge MaxFileAge TimeLimitPolicy TimeLimitValue UnitsOfTimeLimit "
        "AssignFileNameToVariable TransferAllMatchingFiles SkipToNextFileIfCriteriaNotMatch VariableType"
    ),
    "PreCommandSrc": _COMMAND,
    "PreCommandDest": _COMMAND,
    "PostCommandSrc": _COMMAND,
    "PostCommandDest": _COMMAND,
    "IncrementalTransfer": _keys(
        "IncrementalTransferEnabled MaxModificationAgeForFirstRunEnabled MaxModificationAgeForFirstRunInHours"
    ),
    "When": _keys(
        "FromTime ToTime WeekDays MonthDays Months SpecificDates WeekDaysCalendar MonthDaysCalendar "
        "DaysRelation StartDate EndDate ActivePeriod ConfirmationCalendars RuleBasedCalendars Schedule "
        "Comment"
    ),
    "Rerun": _keys("Every Units From Times At Intervals Tolerance Days Hours Minutes"),
    "RerunLimit": _keys("Every Units Times"),
    "CompleteBy": _keys("Time Days"),
    "CompleteIn": _keys("Time Days"),
}
"""Keys of objects that have no `Type`, by the key that they stand at."""

INVENTED: dict[str, str] = {
    "PrivateKeyFile": "`PrivateKeyName`: the name of a key on the agent, not a path",
    "PrivateKeyPath": "`PrivateKeyName`: the name of a key on the agent, not a path",
    "PrivateKey": "`PrivateKeyName`: the name of a key on the agent, not the key",
    "KeyName": "`PrivateKeyName`",
    "HostKey": "the server authorised on each agent; a profile has no key for it",
    "PostActionSrc": "`PostCommandSrc` with `action` and `arg1`",
    "PostActionSrcPath": "`arg2` of `PostCommandSrc`",
    "PostActionDest": "`PostCommandDest` with `action` and `arg1`",
    "PreActionSrc": "`PreCommandSrc` with `action` and `arg1`",
    "PreActionDest": "`PreCommandDest` with `action` and `arg1`",
    "DeleteSrc": "`PostCommandSrc` with the action `rm`",
    "DeleteSourceFile": "`PostCommandSrc` with the action `rm`",
    "Retries": "`NumberOfRetries`",
    "DirectoryListingOptimization": "nothing: it is a setting of the AWS Transfer server, not of Control-M",
    "ConnectionProfileSource": "`ConnectionProfileSrc`",
    "ConnectionProfileDestination": "`ConnectionProfileDest`",
}
"""Keys that circulate in public examples and that no version of the Automation API has had."""

VALUES: dict[str, frozenset[str]] = {
    "TransferOption": _keys(
        "SrcToDest DestToSrc SrcToDestFileWatcher DestToSrcFileWatcher FileWatcher DirectoryListing "
        "SyncSrcToDest SyncDestToSrc"
    ),
    "TransferType": _keys("Binary Ascii"),
    "TimeLimitPolicy": _keys("MinutesToWait WaitUntil"),
    "UnitsOfTimeLimit": _keys("Hours Minutes Seconds"),
    "SRC_PATTERN": _keys("Wildcard Regex"),
    "Urgency": _keys("Regular Urgent VeryUrgent"),
    "LockType": _keys("Exclusive Shared"),
    "MutexType": _keys("Exclusive Shared"),
    "OsType": _keys("Unix Windows"),
}

TEXTS = _keys(
    "Port NumberOfRetries Src Dest MinDetectedSizeInBytes TimeLimitValue Quantity FromTime ToTime By "
    "Every Times DaysKeepActive DaysKeepActiveIfNotOk Priority ServicePriority "
    "MaxModificationAgeForFirstRunInHours TimeLimit SearchInterval TimeZone ABSTIME TIMELIMIT UNIQUE "
    "SRCOPT DSTOPT IF_EXIST RECURSIVE EXCLUDE_WILDCARD TRIM NULLFLDS VERNUM CASEIFS arg1 arg2 Event "
    "JobRunsDeviationsTolerance"
)
"""Keys whose values are texts, numbers included."""

SWITCHES = _keys(
    "Centralized VerifyBytes VerifyChecksum VerifyDestination SSHCompression RerunFromPointOfFailure "
    "DeleteFileOnDestIfFails ContinueOnFailure FailJobOnSourceCommandFailure "
    "FailJobOnDestCommandFailure FailJobOnSourceActionFailure FailJobOnDestActionFailure "
    "TransferAllMatchingFiles SkipToNextFileIfCriteriaNotMatch IncrementalTransferEnabled "
    "AttachOutput Confirm RunAsDummy EndFolder AdjustEvents"
)
"""Keys whose values are `true` or `false`, not texts."""

CODES: dict[str, str] = {
    "SRCOPT": "0",
    "DSTOPT": "0",
    "IF_EXIST": "0",
    "UNIQUE": "0",
    "ABSTIME": "0",
    "TIMELIMIT": "0",
    "RECURSIVE": "0",
    "EXCLUDE_WILDCARD": "0",
    "NULLFLDS": "0",
    "VERNUM": "0",
    "CASEIFS": "0",
    "TRIM": "1",
}
"""Codes that an export of Control-M writes, and the one value of each whose meaning is plain: it is the default."""

OLD: dict[str, str] = {
    "If": "`If:CompletionStatus`",
    "Resource:Semaphore": "`Resource:Pool`",
    "Resource:Mutex": "`Resource:Lock`",
    "Mail": "`Action:Mail`",
    "Run": "`Action:Run`",
    "Notify": "`Action:Notify`",
}
"""Types that are still read, and what they are called now."""

SECRETS = _keys(
    "Password Passphrase SecretAccessKey AzureAccountAccessKey AzureAccountSaSToken AzureClientSecret "
    "AzureUserPasswordAD AzureAccountConnectionString AzureClientCertificatePassword "
    "GCSServiceAccountKey Token ApiKey ProxyPassword UserPassword"
)
"""Keys of profiles that hold a secret."""
