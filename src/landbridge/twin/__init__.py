"""How does the whole chain run on one machine? SeaweedFS as S3, SFTP and STS, our OIDC issuer, the scheduler."""
