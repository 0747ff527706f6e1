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
  name          = "landbridge-eidv-prd-storage"
  template_body = file("${path.module}/../storage.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Name                = "eidv-prd"
    AdoptKeyArn         = ""
    StagingBucketName   = "edbh-eidv-prd-staging"
    ReportsBucketName   = "edbh-eidv-prd-reports"
    LedgerBucketName    = "edbh-eidv-prd-ledger"
    LedgerPrefix        = ""
    AccessLogBucketName = "edbh-eidv-prd-reports-logs"
    CreateStaging       = "true"
    CreateReports       = "true"
    CreateLedger        = "true"
    CreateAccessLogs    = "true"
    StagingDays         = "7"
    NoncurrentDays      = "90"
    AccessLogDays       = "400"
    ObjectLockMode      = ""
    ObjectLockDays      = "1"
    AdoptTopicArn       = ""
    KeyReaders          = ""
    AlarmMail1          = "eidv-platform@example.org"
  }

  tags = {
    "landbridge-project"     = "eidv"
    "landbridge-environment" = "PRD"
    service                  = "eidv-reports"
    owner                    = "eidv-platform"
  }

  lifecycle {
    prevent_destroy = true # what it retains would be left without an owner
  }
}

resource "aws_cloudformation_stack" "identity" {
  name          = "landbridge-eidv-prd-identity"
  template_body = file("${path.module}/../identity.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Name                        = "eidv-prd"
    LedgerPrefix                = ""
    IdentityKind                = "irsa"
    OidcProviderArn             = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-2.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
    OidcIssuer                  = "oidc.eks.eu-west-2.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
    ClusterName                 = "none"
    Namespace                   = "eidv-reports"
    PodServiceAccount           = "landbridge"
    OperatorServiceAccount      = "landbridge-operator"
    WatchServiceAccount         = "landbridge-watch"
    ReaperServiceAccount        = "landbridge-reaper"
    TokenAudience               = "sts.amazonaws.com"
    AdoptPodRoleArn             = ""
    AdoptOperatorRoleArn        = ""
    AdoptWatchRoleArn           = ""
    AdoptReaperRoleArn          = ""
    PermissionsBoundary         = ""
    ReaperReapReleasedResources = "arn:aws:s3:::edbh-eidv-prd-reports/outbound/eidv/*"
    KeyArn                      = aws_cloudformation_stack.storage.outputs["KeyArn"]
    AlarmTopicArn               = aws_cloudformation_stack.storage.outputs["AlarmTopicArn"]
    StagingBucket               = aws_cloudformation_stack.storage.outputs["StagingBucket"]
    ReportsBucket               = aws_cloudformation_stack.storage.outputs["ReportsBucket"]
    LedgerBucket                = aws_cloudformation_stack.storage.outputs["LedgerBucket"]
  }

  tags = {
    "landbridge-project"     = "eidv"
    "landbridge-environment" = "PRD"
    service                  = "eidv-reports"
    owner                    = "eidv-platform"
  }

  lifecycle {
    prevent_destroy = true # what it retains would be left without an owner
  }
}

resource "aws_cloudformation_stack" "sftp" {
  name          = "landbridge-eidv-prd-sftp"
  template_body = file("${path.module}/../sftp.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Name                         = "eidv-prd"
    AdoptServerId                = ""
    VpcId                        = "vpc-0a1b2c3d4e5f60718"
    SubnetIds                    = "subnet-0a1b2c3d4e5f60711,subnet-0a1b2c3d4e5f60722"
    OnPremisesCidr1              = "10.20.30.0/28"
    SecurityPolicyName           = "TransferSecurityPolicy-2025-03"
    LogDays                      = "400"
    FailedLogins                 = "3"
    HostedZoneId                 = "Z0123456789EXAMPLE"
    HostName                     = "sftp.eidv.prd.example.internal"
    Addresses                    = "10.64.12.10,10.64.13.10"
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
    KeyArn                       = aws_cloudformation_stack.storage.outputs["KeyArn"]
    AlarmTopicArn                = aws_cloudformation_stack.storage.outputs["AlarmTopicArn"]
  }

  tags = {
    "landbridge-project"     = "eidv"
    "landbridge-environment" = "PRD"
    service                  = "eidv-reports"
    owner                    = "eidv-platform"
  }

  lifecycle {
    prevent_destroy = true # what it retains would be left without an owner
  }
}

resource "aws_cloudformation_stack" "sftp_user" {
  name          = "landbridge-eidv-prd-sftp-user"
  template_body = file("${path.module}/../sftp-user.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Name                       = "eidv-prd"
    SftpUserName               = "edbh-controlm"
    SshPublicKeys              = ""
    SecretName                 = "landbridge/eidv/prd/sftp/edbh-controlm"
    HostSecretName             = "landbridge/eidv/prd/sftp-host"
    KeyReaders                 = ""
    AdoptUserRoleArn           = ""
    PermissionsBoundary        = ""
    RotatorProveLogInResources = "arn:aws:logs:eu-west-2:123456789012:log-group:/aws/transfer/landbridge-eidv-prd:*"
    KeyArn                     = aws_cloudformation_stack.storage.outputs["KeyArn"]
    ReportsBucket              = aws_cloudformation_stack.storage.outputs["ReportsBucket"]
    ServerId                   = aws_cloudformation_stack.sftp.outputs["ServerId"]
  }

  tags = {
    "landbridge-project"     = "eidv"
    "landbridge-environment" = "PRD"
    service                  = "eidv-reports"
    owner                    = "eidv-platform"
  }

  lifecycle {
    prevent_destroy = true # what it retains would be left without an owner
  }
}
