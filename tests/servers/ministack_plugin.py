"""Which resource types and calls does ministack lack, and what are they made of? Runs in ministack's own environment.

ministack refuses a template with a type it does not know. Here these types are made of its own services, so that
creating, updating and deleting them does what it says: a Transfer Family server listens, its user can log in, a policy
is enforced. `python ministack_plugin.py` is `ministack` with them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

from ministack import app
from ministack.core import iam_actions, responses
from ministack.core.responses import get_account_id, get_region, json_response, now_iso
from ministack.services import cloudwatch_logs as logs
from ministack.services import ec2, eks, iam, s3, secretsmanager, transfer
from ministack.services.cloudformation import changesets, engine, handlers, provisioners, stacks

Properties = dict[str, Any]
Made = tuple[str, Properties]
"""Physical id and attributes."""


def _said(answer: tuple[int, Any, Any]) -> Properties:
    """Give the body of a service's answer.

    Raises:
        ValueError: the service refused; CloudFormation turns it into a failed resource.
    """
    status, _, body = answer
    said: Properties = json.loads(body) if body else {}
    if status >= 400:
        raise ValueError(said.get("message") or said.get("Message") or str(said))
    return said


def _in_background(work: Any) -> None:
    task = asyncio.get_running_loop().create_task(work)
    _TASKS.add(task)
    task.add_done_callback(_TASKS.discard)


_TASKS: set[asyncio.Task[Any]] = set()


# Transfer Family: server, user, host keys --------------------------------------------------------------------------

_SERVER = (
    "EndpointDetails",
    "LoggingRole",
    "PostAuthenticationLoginBanner",
    "PreAuthenticationLoginBanner",
    "ProtocolDetails",
    "S3StorageOptions",
    "SecurityPolicyName",
    "StructuredLogDestinations",
)
"""What a server is told and ministack forgets."""
_FINGERPRINT = "SHA256:ministack"


def _server_create(logical_id: str, props: Properties, stack: str) -> Made:
    number = transfer._server_id()
    arn = transfer._server_arn(number)
    transfer._servers[number] = {
        "Arn": arn,
        "ServerId": number,
        "State": "ONLINE",
        "UserCount": 0,
        "DateCreated": now_iso(),
        "HostKeys": [],
    }
    _server_set(number, props)
    return arn, {"ServerId": number, "Arn": arn, "State": "ONLINE", "As2ServiceManagedEgressIpAddresses": []}


def _server_set(number: str, props: Properties) -> None:
    security = props.get("SecurityPolicyName", "TransferSecurityPolicy-2018-11")
    if not str(security).startswith("TransferSecurityPolicy-20"):
        raise ValueError(f"Unsupported security policy: {security}")
    transfer._servers[number] |= {
        "EndpointType": props.get("EndpointType", "PUBLIC"),
        "IdentityProviderType": props.get("IdentityProviderType", "SERVICE_MANAGED"),
        "Protocols": props.get("Protocols", ["SFTP"]),
        "Domain": props.get("Domain", "S3"),
        "Tags": props.get("Tags", []),
        **{name: props.get(name) for name in _SERVER},
        "SecurityPolicyName": security,
    }


def _server_update(physical_id: str, old: Properties, new: Properties, stack: str) -> Made:
    number = physical_id.rpartition("/")[2]
    _server_set(number, new)
    return physical_id, {"ServerId": number, "Arn": physical_id, "State": "ONLINE"}


def _server_delete(physical_id: str, props: Properties) -> None:
    number = physical_id.rpartition("/")[2]
    for key in [key for key in transfer._users if key.startswith(f"{number}/")]:
        del transfer._users[key]
    transfer._servers.pop(number, None)


def _describe_server(data: Properties) -> Any:
    answer = _described_plainly(data)
    if answer[0] >= 400:
        return answer
    server = transfer._servers[data["ServerId"]]
    said = json.loads(answer[2])
    said["Server"] |= {name: server[name] for name in _SERVER if server.get(name) is not None}
    said["Server"]["HostKeyFingerprint"] = _listener_fingerprint()
    return json_response(said)


_described_plainly = transfer._describe_server
transfer._describe_server = _describe_server


def _listener_fingerprint() -> str:
    key = transfer._sftp_host_key
    return key.get_fingerprint() if key is not None else _FINGERPRINT


def _update_server(data: Properties) -> Any:
    server = transfer._servers.get(data.get("ServerId", ""))
    if server is None:
        return transfer._error("ResourceNotFoundException", "Unknown server", 404)
    server |= {name: data[name] for name in _SERVER if name in data}
    return json_response({"ServerId": server["ServerId"]})


def _import_host_key(data: Properties) -> Any:
    """Keep a host key; the listener offers the newest of each kind from now on (all servers share one listener)."""
    server = transfer._servers.get(data.get("ServerId", ""))
    if server is None:
        return transfer._error("ResourceNotFoundException", "Unknown server", 404)
    try:
        key = transfer.asyncssh.import_private_key(data.get("HostKeyBody", ""))
    except ValueError:
        return transfer._error("InvalidRequestException", "Unsupported or invalid host key")
    number = "host" + transfer._key_id()
    server.setdefault("HostKeys", []).append(
        {
            "HostKeyId": number,
            "Arn": f"arn:aws:transfer:{get_region()}:{get_account_id()}:host-key/{server['ServerId']}/{number}",
            "HostKeyFingerprint": key.get_fingerprint(),
            "Description": data.get("Description", ""),
            "DateImported": now_iso(),
            "Type": key.get_algorithm(),
            "key": key,
        }
    )
    _offer(server)
    return json_response({"ServerId": server["ServerId"], "HostKeyId": number})


def _offer(server: Properties) -> None:
    # Of each type the oldest is shown (AWS Transfer Family User Guide, "Add an additional server host key").
    oldest = {key["Type"]: key["key"] for key in reversed(server["HostKeys"])}
    own = transfer._sftp_load_or_generate_host_key()
    oldest.setdefault(own.get_algorithm(), own)
    transfer._sftp_shared_acceptor.update(server_host_keys=list(oldest.values()))


def _host_key(data: Properties) -> tuple[Properties, Properties] | None:
    server = transfer._servers.get(data.get("ServerId", "")) or {}
    for key in server.get("HostKeys", []):
        if key["HostKeyId"] == data.get("HostKeyId"):
            return server, key
    return None


def _shown(key: Properties) -> Properties:
    return {name: value for name, value in key.items() if name != "key"}


def _describe_host_key(data: Properties) -> Any:
    found = _host_key(data)
    if found is None:
        return transfer._error("ResourceNotFoundException", "Unknown host key", 404)
    return json_response({"HostKey": _shown(found[1])})


def _list_host_keys(data: Properties) -> Any:
    server = transfer._servers.get(data.get("ServerId", ""))
    if server is None:
        return transfer._error("ResourceNotFoundException", "Unknown server", 404)
    keys = [{**_shown(key), "Fingerprint": key["HostKeyFingerprint"]} for key in server.get("HostKeys", [])]
    return json_response({"ServerId": server["ServerId"], "HostKeys": keys})


def _delete_host_key(data: Properties) -> Any:
    found = _host_key(data)
    if found is None:
        return transfer._error("ResourceNotFoundException", "Unknown host key", 404)
    server, key = found
    server["HostKeys"].remove(key)
    _offer(server)
    return json_response({})


_CALLS = {
    "UpdateServer": _update_server,
    "ImportHostKey": _import_host_key,
    "DescribeHostKey": _describe_host_key,
    "ListHostKeys": _list_host_keys,
    "DeleteHostKey": _delete_host_key,
}


async def _transfer_request(
    method: str, path: str, headers: dict[str, str], body: bytes, query: Properties
) -> Any:
    call = _CALLS.get(headers.get("x-amz-target", "").rpartition(".")[2])
    if call is None:
        return await _known_request(method, path, headers, body, query)
    return call(json.loads(body or b"{}"))


_known_request = transfer.handle_request
transfer.handle_request = _transfer_request


# What a call is about is the user or the host key, and ministack asks about the server.
# Source: Service Authorization Reference, "Actions defined by AWS Transfer Family".
_OF_A_USER = frozenset(
    {"DescribeUser", "UpdateUser", "DeleteUser", "ImportSshPublicKey", "DeleteSshPublicKey"}
)
_OF_A_HOST_KEY = frozenset({"DescribeHostKey", "UpdateHostKey", "DeleteHostKey"})


def _resource(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *more: Any) -> str:
    server: str = _resource_plainly(service, method, path, headers, body, *more)
    if service != "transfer" or ":server/" not in server:
        return server
    call, data = headers.get("x-amz-target", "").rpartition(".")[2], json.loads(body or b"{}")
    if call in _OF_A_USER:
        return server.replace(":server/", ":user/") + f"/{data.get('UserName', '')}"
    if call in _OF_A_HOST_KEY:
        return server.replace(":server/", ":host-key/") + f"/{data.get('HostKeyId', '')}"
    return server


_resource_plainly = iam_actions.extract_resource_arn
iam_actions.extract_resource_arn = _resource


def _user_create(logical_id: str, props: Properties, stack: str) -> Made:
    name, server = props["UserName"], props["ServerId"]
    _said(transfer._create_user(props))
    _user_keys(server, name, (), props.get("SshPublicKeys") or ())
    arn = transfer._user_arn(server, name)
    return arn, {"Arn": arn, "Id": f"{server}|{name}"}


def _user_update(physical_id: str, old: Properties, new: Properties, stack: str) -> Made:
    name, server = new["UserName"], new["ServerId"]
    user = transfer._users[transfer._user_key(server, name)]
    user |= {
        "Role": new.get("Role", ""),
        "HomeDirectory": new.get("HomeDirectory"),
        "HomeDirectoryType": new.get("HomeDirectoryType", "PATH"),
        "HomeDirectoryMappings": new.get("HomeDirectoryMappings", []),
        "Tags": new.get("Tags", []),
    }
    # Keys that somebody imported through the API are nobody's business here, as on AWS.
    _user_keys(server, name, old.get("SshPublicKeys") or (), new.get("SshPublicKeys") or ())
    return physical_id, {"Arn": physical_id, "Id": f"{server}|{name}"}


def _user_keys(server: str, user: str, old: Any, new: Any) -> None:
    keys = transfer._users[transfer._user_key(server, user)]["SshPublicKeys"]
    for body in [body for body in old if body not in new]:
        keys[:] = [key for key in keys if key["SshPublicKeyBody"] != body.strip()]
    for body in [body for body in new if body not in old]:
        _said(
            transfer._import_ssh_public_key({"ServerId": server, "UserName": user, "SshPublicKeyBody": body})
        )


def _user_delete(physical_id: str, props: Properties) -> None:
    with contextlib.suppress(ValueError):  # gone with its server
        _said(transfer._delete_user({"ServerId": props["ServerId"], "UserName": props["UserName"]}))


# Secrets Manager, EKS, EC2, IAM --------------------------------------------------------------------------------------


def _secret_policy_create(logical_id: str, props: Properties, stack: str) -> Made:
    policy = props["ResourcePolicy"]
    text = policy if isinstance(policy, str) else json.dumps(policy)
    said = _said(secretsmanager._put_resource_policy({"SecretId": props["SecretId"], "ResourcePolicy": text}))
    return said["ARN"], {"Id": said["ARN"]}


def _secret_policy_update(physical_id: str, old: Properties, new: Properties, stack: str) -> Made:
    return _secret_policy_create("", new, stack)


def _secret_policy_delete(physical_id: str, props: Properties) -> None:
    with contextlib.suppress(ValueError):  # gone with its secret
        _said(secretsmanager._delete_resource_policy({"SecretId": props["SecretId"]}))


def _pod_create(logical_id: str, props: Properties, stack: str) -> Made:
    body = {
        "namespace": props["Namespace"],
        "serviceAccount": props["ServiceAccount"],
        "roleArn": props["RoleArn"],
        "tags": {tag["Key"]: tag["Value"] for tag in props.get("Tags", [])},
    }
    made = _said(eks._create_pod_identity_association(props["ClusterName"], body))["association"]
    return made["associationArn"], {
        "AssociationArn": made["associationArn"],
        "AssociationId": made["associationId"],
    }


def _pod_update(physical_id: str, old: Properties, new: Properties, stack: str) -> Made:
    number = physical_id.rpartition("/")[2]
    _said(eks._update_pod_identity_association(new["ClusterName"], number, {"roleArn": new["RoleArn"]}))
    return physical_id, {"AssociationArn": physical_id, "AssociationId": number}


def _pod_delete(physical_id: str, props: Properties) -> None:
    _said(eks._delete_pod_identity_association(props["ClusterName"], physical_id.rpartition("/")[2]))


def _rule_of(direction: str) -> tuple[Any, Any]:
    store = "IpPermissions" if direction == "Ingress" else "IpPermissionsEgress"

    def create(logical_id: str, props: Properties, stack: str) -> Made:
        group = ec2._security_groups.get(props["GroupId"])
        if group is None:
            raise ValueError(f"The security group '{props['GroupId']}' does not exist")
        group[store].extend(provisioners._ec2_sg_permissions([props]))
        number = f"sgr-{stack}-{logical_id}"
        return number, {"Id": number}

    def delete(physical_id: str, props: Properties) -> None:
        group = ec2._security_groups.get(props["GroupId"])
        gone = provisioners._ec2_sg_permissions([props])
        if group is not None:
            group[store] = [rule for rule in group[store] if rule not in gone]

    return create, delete


def _role_policy_create(logical_id: str, props: Properties, stack: str) -> Made:
    policy = {**props, "Roles": [props["RoleName"]]}
    provisioners._iam_policy_require_entities(policy)
    provisioners._iam_policy_require_valid_document(policy)
    provisioners._iam_policy_put(policy, props["PolicyName"])
    return f"{props['PolicyName']}|{props['RoleName']}", {}


def _role_policy_update(physical_id: str, old: Properties, new: Properties, stack: str) -> Made:
    return _role_policy_create("", new, stack)


def _role_policy_delete(physical_id: str, props: Properties) -> None:
    if props["RoleName"] in iam._roles:
        provisioners._iam_policy_drop({"Roles": [props["RoleName"]]}, props["PolicyName"])


def _bucket_delete(physical_id: str, props: Properties) -> None:
    """Refuse, as S3 does, to delete a bucket that holds something."""
    if s3._buckets.get(physical_id, {}).get("objects"):
        raise ValueError(f"The bucket you tried to delete is not empty: {physical_id}")
    _bucket_delete_plainly(physical_id, props)


_bucket_delete_plainly = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]["delete"]
provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]["delete"] = _bucket_delete


def _get_object(bucket: str, key: str, headers: dict[str, str], query: Properties | None = None) -> Any:
    """Give the range of a version that was asked for; ministack gives ranges of newest versions only, and else the whole."""
    answer = _got_plainly(bucket, key, headers, query)
    status, said, body = answer
    asked = headers.get("range", "")
    if status != 200 or not asked:
        return answer
    between = s3._parse_range(asked, len(body))
    if between is None:
        empty = {"Content-Type": "application/xml", "Content-Range": f"bytes */{len(body)}"}
        return 416, empty, s3._xml_body(s3._range_error_xml(bucket, key))
    start, end = between
    piece = body[start : end + 1]
    whole = {name: value for name, value in said.items() if not name.lower().startswith("x-amz-checksum")}
    part = {"Content-Length": str(len(piece)), "Content-Range": f"bytes {start}-{end}/{len(body)}"}
    return 206, whole | part, piece


_got_plainly = s3._get_object
s3._get_object = _get_object

_ingress, _no_ingress = _rule_of("Ingress")
_egress, _no_egress = _rule_of("Egress")
provisioners._RESOURCE_HANDLERS |= {
    "AWS::Transfer::Server": {"create": _server_create, "update": _server_update, "delete": _server_delete},
    "AWS::Transfer::User": {"create": _user_create, "update": _user_update, "delete": _user_delete},
    "AWS::SecretsManager::ResourcePolicy": {
        "create": _secret_policy_create,
        "update": _secret_policy_update,
        "delete": _secret_policy_delete,
    },
    "AWS::EKS::PodIdentityAssociation": {"create": _pod_create, "update": _pod_update, "delete": _pod_delete},
    "AWS::EC2::SecurityGroupIngress": {"create": _ingress, "delete": _no_ingress},
    "AWS::EC2::SecurityGroupEgress": {"create": _egress, "delete": _no_egress},
    "AWS::IAM::RolePolicy": {
        "create": _role_policy_create,
        "update": _role_policy_update,
        "delete": _role_policy_delete,
    },
}

# What a change of a property means for these types; ministack says "perhaps a replacement" of what it does not know.
# Source: AWS CloudFormation template reference, "Update requires" of each property.
provisioners._REPLACING_PROPERTIES |= {
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::EC2::SecurityGroup": ("GroupDescription", "GroupName", "VpcId"),
    "AWS::EC2::SecurityGroupEgress": ("GroupId", "IpProtocol", "CidrIp", "FromPort", "ToPort"),
    "AWS::EC2::SecurityGroupIngress": ("GroupId", "IpProtocol", "CidrIp", "FromPort", "ToPort"),
    "AWS::EC2::VPCEndpoint": ("ServiceName", "VpcEndpointType", "VpcId"),
    "AWS::EKS::PodIdentityAssociation": ("ClusterName", "Namespace", "ServiceAccount"),
    "AWS::Events::Rule": ("EventBusName", "Name"),
    "AWS::IAM::RolePolicy": ("PolicyName", "RoleName"),
    "AWS::KMS::Alias": ("AliasName",),
    "AWS::KMS::Key": (),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::Logs::MetricFilter": ("FilterName", "LogGroupName"),
    "AWS::Route53::RecordSet": ("HostedZoneId", "HostedZoneName", "Name"),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::S3::BucketPolicy": ("Bucket",),
    "AWS::SNS::Subscription": ("Endpoint", "Protocol", "TopicArn"),
    "AWS::SNS::TopicPolicy": (),
    "AWS::SecretsManager::ResourcePolicy": ("SecretId",),
    "AWS::SecretsManager::Secret": ("Name",),
    "AWS::Transfer::Server": ("Domain", "IdentityProviderType"),
    "AWS::Transfer::User": ("ServerId", "UserName"),
}

# ministack does not know Fn::Join within a condition, and so takes every list for a full one. -----------------------------

_conditions_plainly = engine._evaluate_conditions


def _joined(part: Any, parameters: Properties) -> Any:
    match part:
        case {"Fn::Join": [str(separator), {"Ref": name}]} if name in parameters:
            return separator.join(each.strip() for each in str(parameters[name]["Value"]).split(","))
        case dict():
            return {key: _joined(value, parameters) for key, value in part.items()}
        case list():
            return [_joined(each, parameters) for each in part]
        case _:
            return part


def _conditions(template: Properties, parameters: Properties) -> dict[str, bool]:
    defined = _joined(template.get("Conditions", {}), parameters)
    evaluated: dict[str, bool] = _conditions_plainly({**template, "Conditions": defined}, parameters)
    return evaluated


for _module in (changesets, engine, handlers, provisioners, stacks):
    if hasattr(_module, "_evaluate_conditions"):
        _module._evaluate_conditions = _conditions

# The SFTP listener comes up with the process, as if servers had been restored: a template must not race against it.
transfer.has_servers = lambda: True
app._loaded_modules["transfer"] = transfer


# Transfer Family writes who was let in, and who was not, into the server's structured log; ministack does not. ---------------
# Source of the fields: AWS Transfer Family User Guide, "CloudWatch log structure".

_runtime_plainly = transfer._ensure_sftp_runtime


def _runtime() -> None:
    """Build ministack's classes, and have its SSH server tell of each log-in."""
    _runtime_plainly()
    server = transfer._MiniStackSSHServer
    if getattr(server, "tells", False):
        return
    server.tells = True
    server.auth_completed = _let_in
    server.connection_lost = _gone
    server.validate_public_key = _noting(server.validate_public_key)


def _noting(plainly: Any) -> Any:
    def validate(self: Any, username: str, key: Any) -> bool:
        self.offered = key
        right: bool = plainly(self, username, key)
        return right

    return validate


def _let_in(self: Any) -> None:
    self.let_in = True
    key = self.offered
    _log_event(
        self,
        {
            "activity-type": "CONNECTED",
            "ssh-public-key": key.export_public_key("openssh").decode().split()[1],
            "ssh-public-key-fingerprint": key.get_fingerprint(),
            "ssh-public-key-type": key.get_algorithm(),
            "method": "publickey",
        },
    )


def _gone(self: Any, error: Exception | None) -> None:
    if self._username and not getattr(self, "let_in", False) and hasattr(self, "offered"):
        _log_event(self, {"activity-type": "AUTH_FAILURE", "method": "publickey", "message": str(error)})


def _log_event(ssh: Any, said: Properties) -> None:
    """Write into the log of every server that has the user: who was refused belongs to none of them."""
    common = {
        "client": ssh._conn.get_extra_info("client_version", ""),
        "source-ip": ssh._conn.get_extra_info("peername", ("",))[0],
        "user": ssh._username,
    }
    for (account, region, number), server in list(transfer._servers._data.items()):
        if (account, region, f"{number}/{ssh._username}") not in transfer._users._data:
            continue
        responses.set_request_account_id(account)
        responses.set_request_region(region)
        for arn in server.get("StructuredLogDestinations") or []:
            group = arn.split(":log-group:", 1)[1].removesuffix(":*")
            names = {"logGroupName": group, "logStreamName": ssh._username}
            logs._create_log_stream(names)  # says so when it is there
            event = {
                "timestamp": int(time.time() * 1000),
                "message": json.dumps({**said, **common, "resource-arn": server["Arn"]}),
            }
            logs._put_log_events({**names, "logEvents": [event]})


transfer._ensure_sftp_runtime = _runtime

# With TLS it would take port 443 of loopback, too.
app._port_is_bindable = lambda host, port: False

if __name__ == "__main__":
    app.main()
