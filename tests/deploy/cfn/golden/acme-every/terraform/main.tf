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
  name          = "landbridge-acme-every-storage"
  template_body = file("${path.module}/../storage.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Name                = "acme-every"
    AdoptKeyArn         = ""
    StagingBucketName   = "acme-every-staging"
    ReportsBucketName   = "acme-every-reports"
    LedgerBucketName    = "acme-every-ledger"
    LedgerPrefix        = ""
    AccessLogBucketName = "acme-every-reports-logs"
    CreateStaging       = "true"
    CreateReports       = "true"
    CreateLedger        = "true"
    CreateAccessLogs    = "true"
    StagingDays         = "7"
    NoncurrentDays      = "30"
    AccessLogDays       = "731"
    ObjectLockMode      = "COMPLIANCE"
    ObjectLockDays      = "2557"
    AdoptTopicArn       = ""
    KeyReaders          = "arn:aws:iam::210987654321:role/controlm-agent"
    AlarmMail1          = "ops@example.org"
    AlarmMail2          = "owner@example.org"
  }

  tags = {
    "landbridge-project"     = "acme"
    "landbridge-environment" = "EVERY"
    owner                    = "platform"
    "cost centre"            = "42"
  }

  lifecycle {
    prevent_destroy = true # what it retains would be left without an owner
  }
}

resource "aws_cloudformation_stack" "identity" {
  name          = "landbridge-acme-every-identity"
  template_body = file("${path.module}/../identity.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Name                         = "acme-every"
    LedgerPrefix                 = ""
    IdentityKind                 = "pod_identity"
    OidcProviderArn              = ""
    OidcIssuer                   = ""
    ClusterName                  = "reports"
    Namespace                    = "reports"
    PodServiceAccount            = "landbridge"
    OperatorServiceAccount       = "landbridge-operator"
    WatchServiceAccount          = "landbridge-watch"
    ReaperServiceAccount         = "landbridge-reaper"
    TokenAudience                = "sts.amazonaws.com"
    AdoptPodRoleArn              = ""
    AdoptOperatorRoleArn         = ""
    AdoptWatchRoleArn            = ""
    AdoptReaperRoleArn           = ""
    PermissionsBoundary          = "arn:aws:iam::123456789012:policy/boundary"
    PodSource1Resources          = "arn:aws:s3:::upstream-every/in/*"
    PodSource1SeesResources      = "arn:aws:s3:::upstream-every"
    PodSource1SeesPrefixes       = "in/*"
    PodSecretsResources          = "arn:aws:secretsmanager:eu-west-2:123456789012:secret:acme/api-??????"
    PodPromoteFurtherResources   = "arn:aws:s3:::partner-every-in/acme/*"
    OperatorReadFurtherResources = "arn:aws:s3:::partner-every-in/acme/*"
    WatchSource1Resources        = "arn:aws:s3:::upstream-every/in/*"
    WatchSource1SeesResources    = "arn:aws:s3:::upstream-every"
    WatchSource1SeesPrefixes     = "in/*"
    WatchSecretsResources        = "arn:aws:secretsmanager:eu-west-2:123456789012:secret:acme/api-??????"
    WatchPromoteFurtherResources = "arn:aws:s3:::partner-every-in/acme/*"
    WatchReadFurtherResources    = "arn:aws:s3:::partner-every-in/acme/*"
    ReaperReapReleasedResources  = "arn:aws:s3:::acme-every-reports/outbound/copied/*,arn:aws:s3:::acme-every-reports/outbound/orders/*"
    KeyArn                       = aws_cloudformation_stack.storage.outputs["KeyArn"]
    AlarmTopicArn                = aws_cloudformation_stack.storage.outputs["AlarmTopicArn"]
    StagingBucket                = aws_cloudformation_stack.storage.outputs["StagingBucket"]
    ReportsBucket                = aws_cloudformation_stack.storage.outputs["ReportsBucket"]
    LedgerBucket                 = aws_cloudformation_stack.storage.outputs["LedgerBucket"]
  }

  tags = {
    "landbridge-project"     = "acme"
    "landbridge-environment" = "EVERY"
    owner                    = "platform"
    "cost centre"            = "42"
  }

  lifecycle {
    prevent_destroy = true # what it retains would be left without an owner
  }
}

resource "aws_cloudformation_stack" "sftp" {
  name          = "landbridge-acme-every-sftp"
  template_body = file("${path.module}/../sftp.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Name                         = "acme-every"
    AdoptServerId                = ""
    VpcId                        = "vpc-0a1b2c3d4e5f60718"
    SubnetIds                    = "subnet-0a1b2c3d4e5f60711,subnet-0a1b2c3d4e5f60722"
    OnPremisesCidr1              = "10.20.30.0/28"
    OnPremisesCidr2              = "10.20.31.4/32"
    SecurityPolicyName           = "TransferSecurityPolicy-2024-01"
    LogDays                      = "731"
    FailedLogins                 = "3"
    HostedZoneId                 = "Z0123456789EXAMPLE"
    HostName                     = "sftp.example.internal"
    Addresses                    = "10.64.12.10,10.64.13.10"
    WatchTells                   = "true"
    CreateS3Endpoint             = "true"
    CreateKmsEndpoint            = "true"
    CreateStsEndpoint            = "true"
    CreateSecretsManagerEndpoint = "true"
    CreateTransferEndpoint       = "true"
    CreateSnsEndpoint            = "true"
    CreateMonitoringEndpoint     = "true"
    RouteTableIds                = "rtb-0a1b2c3d4e5f60711,rtb-0a1b2c3d4e5f60722"
    EndpointClientCidr1          = "10.65.0.0/16"
    EndpointClientCidr2          = "10.66.0.0/16"
    KeyArn                       = aws_cloudformation_stack.storage.outputs["KeyArn"]
    AlarmTopicArn                = aws_cloudformation_stack.storage.outputs["AlarmTopicArn"]
  }

  tags = {
    "landbridge-project"     = "acme"
    "landbridge-environment" = "EVERY"
    owner                    = "platform"
    "cost centre"            = "42"
  }

  lifecycle {
    prevent_destroy = true # what it retains would be left without an owner
  }
}

resource "aws_cloudformation_stack" "sftp_user" {
  name          = "landbridge-acme-every-sftp-user"
  template_body = file("${path.module}/../sftp-user.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Name                       = "acme-every"
    SftpUserName               = "acme-collector"
    SshPublicKeys              = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfakefakefakefakefakefakefakefakefakefake"
    SecretName                 = "landbridge/acme/every/sftp/acme-collector"
    HostSecretName             = "landbridge/acme/every/sftp-host"
    KeyReaders                 = "arn:aws:iam::210987654321:role/controlm-agent"
    AdoptUserRoleArn           = ""
    PermissionsBoundary        = "arn:aws:iam::123456789012:policy/boundary"
    UserDelete                 = "true"
    RotatorProveLogInResources = "arn:aws:logs:eu-west-2:123456789012:log-group:/aws/transfer/landbridge-acme-every:*"
    KeyArn                     = aws_cloudformation_stack.storage.outputs["KeyArn"]
    ReportsBucket              = aws_cloudformation_stack.storage.outputs["ReportsBucket"]
    ServerId                   = aws_cloudformation_stack.sftp.outputs["ServerId"]
  }

  tags = {
    "landbridge-project"     = "acme"
    "landbridge-environment" = "EVERY"
    owner                    = "platform"
    "cost centre"            = "42"
  }

  lifecycle {
    prevent_destroy = true # what it retains would be left without an owner
  }
}
