# Rendered by `landbridge deploy aws render`. One aws_cloudformation_stack each around the templates beside this folder:
# they are reviewed once, and Terraform only applies them. Keep the state where your other state is.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

provider "aws" {
  region              = "eu-west-2"
  allowed_account_ids = ["123456789012"]
}

resource "aws_cloudformation_stack" "storage" {
  name          = "landbridge-acme-adopt-storage"
  template_body = file("${path.module}/../storage.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Name                = "acme-adopt"
    AdoptKeyArn         = "arn:aws:kms:eu-west-2:123456789012:key/11111111-2222-3333-4444-555555555555"
    StagingBucketName   = "theirs-staging"
    ReportsBucketName   = "theirs-reports"
    LedgerBucketName    = "theirs-reports"
    LedgerPrefix        = "ledger/acme/"
    AccessLogBucketName = "company-access-logs"
    CreateStaging       = "false"
    CreateReports       = "false"
    CreateLedger        = "false"
    CreateAccessLogs    = "false"
    StagingDays         = "7"
    NoncurrentDays      = "90"
    AccessLogDays       = "400"
    ObjectLockMode      = ""
    ObjectLockDays      = "1"
    AdoptTopicArn       = "arn:aws:sns:eu-west-2:123456789012:landbridge-alarms"
    KeyReaders          = ""
    AlarmMail1          = ""
    AlarmMail2          = ""
  }

  tags = {
    "landbridge-project"     = "acme"
    "landbridge-environment" = "ADOPT"
  }

  lifecycle {
    prevent_destroy = true # what it retains would be left without an owner
  }
}

resource "aws_cloudformation_stack" "identity" {
  name          = "landbridge-acme-adopt-identity"
  template_body = file("${path.module}/../identity.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Name                         = "acme-adopt"
    LedgerPrefix                 = "ledger/acme/"
    IdentityKind                 = "pod_identity"
    OidcProviderArn              = ""
    OidcIssuer                   = ""
    ClusterName                  = "theirs"
    Namespace                    = "reports"
    PodServiceAccount            = "landbridge"
    OperatorServiceAccount       = "landbridge-operator"
    WatchServiceAccount          = "landbridge-watch"
    ReaperServiceAccount         = "landbridge-reaper"
    TokenAudience                = "sts.amazonaws.com"
    AdoptPodRoleArn              = "arn:aws:iam::123456789012:role/theirs-pod"
    AdoptOperatorRoleArn         = "arn:aws:iam::123456789012:role/theirs-operator"
    AdoptWatchRoleArn            = "arn:aws:iam::123456789012:role/theirs-watch"
    AdoptReaperRoleArn           = "arn:aws:iam::123456789012:role/theirs-reaper"
    PermissionsBoundary          = ""
    PodSource1Resources          = "arn:aws:s3:::upstream-adopt/in/*"
    PodSource1SeesResources      = "arn:aws:s3:::upstream-adopt"
    PodSource1SeesPrefixes       = "in/*"
    PodSecretsResources          = ""
    PodPromoteFurtherResources   = ""
    OperatorReadFurtherResources = ""
    WatchSource1Resources        = "arn:aws:s3:::upstream-adopt/in/*"
    WatchSource1SeesResources    = "arn:aws:s3:::upstream-adopt"
    WatchSource1SeesPrefixes     = "in/*"
    WatchSecretsResources        = ""
    WatchPromoteFurtherResources = ""
    WatchReadFurtherResources    = ""
    ReaperReapReleasedResources  = "arn:aws:s3:::theirs-reports/outbound/orders/*"
    KeyArn                       = aws_cloudformation_stack.storage.outputs["KeyArn"]
    AlarmTopicArn                = aws_cloudformation_stack.storage.outputs["AlarmTopicArn"]
    StagingBucket                = aws_cloudformation_stack.storage.outputs["StagingBucket"]
    ReportsBucket                = aws_cloudformation_stack.storage.outputs["ReportsBucket"]
    LedgerBucket                 = aws_cloudformation_stack.storage.outputs["LedgerBucket"]
  }

  tags = {
    "landbridge-project"     = "acme"
    "landbridge-environment" = "ADOPT"
  }

  lifecycle {
    prevent_destroy = true # what it retains would be left without an owner
  }
}

resource "aws_cloudformation_stack" "sftp" {
  name          = "landbridge-acme-adopt-sftp"
  template_body = file("${path.module}/../sftp.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Name                         = "acme-adopt"
    AdoptServerId                = "s-0123456789abcdef0"
    VpcId                        = "vpc-0a1b2c3d4e5f60718"
    SubnetIds                    = "subnet-0a1b2c3d4e5f60711,subnet-0a1b2c3d4e5f60722"
    OnPremisesCidr1              = "10.20.40.0/24"
    OnPremisesCidr2              = ""
    SecurityPolicyName           = "TransferSecurityPolicy-2025-03"
    LogDays                      = "400"
    FailedLogins                 = "3"
    HostedZoneId                 = ""
    HostName                     = ""
    Addresses                    = ""
    WatchTells                   = "true"
    CreateS3Endpoint             = "false"
    CreateKmsEndpoint            = "false"
    CreateStsEndpoint            = "false"
    CreateSecretsManagerEndpoint = "false"
    CreateTransferEndpoint       = "false"
    CreateSnsEndpoint            = "false"
    CreateMonitoringEndpoint     = "false"
    RouteTableIds                = ""
    EndpointClientCidr1          = ""
    EndpointClientCidr2          = ""
    KeyArn                       = aws_cloudformation_stack.storage.outputs["KeyArn"]
    AlarmTopicArn                = aws_cloudformation_stack.storage.outputs["AlarmTopicArn"]
  }

  tags = {
    "landbridge-project"     = "acme"
    "landbridge-environment" = "ADOPT"
  }

  lifecycle {
    prevent_destroy = true # what it retains would be left without an owner
  }
}

resource "aws_cloudformation_stack" "sftp_user" {
  name          = "landbridge-acme-adopt-sftp-user"
  template_body = file("${path.module}/../sftp-user.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Name                       = "acme-adopt"
    SftpUserName               = "acme-collector"
    SshPublicKeys              = ""
    SecretName                 = "landbridge/acme/adopt/sftp/acme-collector"
    HostSecretName             = "landbridge/acme/adopt/sftp-host"
    KeyReaders                 = ""
    AdoptUserRoleArn           = "arn:aws:iam::123456789012:role/theirs-sftp-user"
    PermissionsBoundary        = ""
    UserDelete                 = "false"
    RotatorProveLogInResources = "arn:aws:logs:eu-west-2:123456789012:log-group:/aws/transfer/*:*"
    KeyArn                     = aws_cloudformation_stack.storage.outputs["KeyArn"]
    ReportsBucket              = aws_cloudformation_stack.storage.outputs["ReportsBucket"]
    ServerId                   = aws_cloudformation_stack.sftp.outputs["ServerId"]
  }

  tags = {
    "landbridge-project"     = "acme"
    "landbridge-environment" = "ADOPT"
  }

  lifecycle {
    prevent_destroy = true # what it retains would be left without an owner
  }
}
