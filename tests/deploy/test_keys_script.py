"""Does the script put a key onto an agent whole, once, for nobody else to read, whatever happens to it? By a real shell."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell

from landbridge.deploy.keys.pair import KeyPair, Kind
from landbridge.deploy.keys.script import Installation, scripts
from landbridge.errors import UsageError

ROOT = Path(__file__).parents[2]
KEY = KeyPair.generate(Kind.RSA)
OTHER = KeyPair.generate(Kind.RSA)
WHAT = Installation(
    name="edbh_prd_0a1b2c3d",
    public=KEY.public,
    secret="landbridge/eidv/prd/sftp/edbh-controlm",
    version="5d0bf0a5-7f1c-5b3b-9a55-0b0d1e2f3a4b",
    region="eu-west-2",
    host="sftp.eidv.prd.example.internal",
    port=22,
    user="edbh-controlm",
    pinned=(KeyPair.generate(Kind.ECDSA).public,),
)
TOOLS = (
    "awk",
    "cat",
    "chmod",
    "chown",
    "cut",
    "id",
    "ln",
    "ls",
    "openssl",
    "rm",
    "sed",
    "ssh-keygen",
    "sync",
    "tail",
)
"""What the script calls; nothing else is on its PATH."""
SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]

AWS = """#!/bin/sh
echo "$@" >> "$AGENT/aws-called"
[ -z "${AWS_FAILS:-}" ] || { echo "AccessDeniedException" >&2; exit 254; }
cat "$AGENT/secret"
echo
"""
KILLER = """#!/bin/sh
count=$(( $(cat "$AGENT/count") + 1 ))
echo "$count" > "$AGENT/count"
[ "$KILL_AT" != "$count" ] || [ "$KILL_AFTER" = yes ] || { kill -9 "$MAIN"; exit 1; }
"$REAL/${0##*/}" "$@"
code=$?
[ "$KILL_AT" != "$count" ] || { kill -9 "$MAIN"; exit 1; }
exit $code
"""


@dataclass
class Agent:
    """A Control-M agent as far as its keys go: a home, and a few programs."""

    folder: Path
    shell: str = "dash"

    def __post_init__(self) -> None:
        self.keys.mkdir(parents=True)
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(str(shutil.which(tool)))
        self._program("aws", AWS)
        (self.folder / "secret").write_text(KEY.private)

    @property
    def keys(self) -> Path:
        return self.folder / "ctm" / "cm" / "AFT" / "data" / "Keys"

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def key(self) -> Path:
        return self.keys / WHAT.name

    def _program(self, name: str, text: str) -> None:
        (self.bin / name).unlink(missing_ok=True)
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def killed_at(self, number: int, *, after: bool) -> dict[str, str]:
        """Have every program count, and kill the script at the one of that number."""
        real = self.folder / "real"
        if not real.exists():
            self.bin.rename(real)
            self.bin.mkdir()
            (real / "sh").symlink_to(str(shutil.which("sh")))
            for program in [*TOOLS, "aws"]:
                self._program(program, KILLER.replace("$(cat ", f"$({shutil.which('cat')} "))
        (self.folder / "count").write_text("0")
        return {"KILL_AT": str(number), "KILL_AFTER": "yes" if after else "no", "REAL": str(real)}

    def run(
        self,
        *words: str,
        given: str = "",
        what: Installation = WHAT,
        environment: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        script = self.folder / f"install-{what.name}.sh"
        script.write_text(scripts(what)[script.name])
        command = [
            "/bin/sh",
            "-c",
            f'MAIN=$$; export MAIN; exec {shutil.which(self.shell)} "$0" "$@"',
            str(script),
        ]
        return subprocess.run(
            [*command, *words],
            input=given,
            env={"PATH": str(self.bin), "HOME": str(self.folder), "AGENT": str(self.folder)}
            | (environment or {}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def installed(self) -> None:
        """The key, the whole key, for its owner alone, and nothing beside it."""
        assert KeyPair.parse(self.key.read_text(), "x").public == KEY.public
        status = self.key.stat()
        assert stat.S_IMODE(status.st_mode) == 0o600
        assert (status.st_uid, status.st_gid) == (self.keys.stat().st_uid, self.keys.stat().st_gid)
        assert status.st_nlink == 1
        assert [path.name for path in self.keys.iterdir()] == [WHAT.name]


@pytest.fixture(params=SHELLS)
def agent(request: pytest.FixtureRequest, tmp_path: Path) -> Agent:
    return Agent(tmp_path / "agent", request.param)


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """Whatever it says, it says nothing of a private key."""
    said = done.stdout + done.stderr
    for pair in (KEY, OTHER):
        assert not any(line in said for line in pair.private.splitlines() if line)
    return said


def test_the_key_is_fetched_by_its_version_and_installed(agent: Agent) -> None:
    done = agent.run()
    assert done.returncode == 0, done.stderr
    assert f"installed: {WHAT.name} ({KEY.fingerprint})" in _said(done)
    agent.installed()
    called = (agent.folder / "aws-called").read_text()
    assert f"--secret-id {WHAT.secret} --version-id {WHAT.version} --region eu-west-2" in called


def test_again_it_fetches_nothing_and_changes_nothing(agent: Agent) -> None:
    agent.run()
    before = agent.key.stat()
    agent.key.chmod(0o644)
    done = agent.run()
    assert done.returncode == 0
    assert "installed already" in _said(done)
    agent.installed()
    assert (agent.key.stat().st_ino, agent.key.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert (agent.folder / "aws-called").read_text().count("\n") == 1


@pytest.mark.parametrize(
    "form",
    [KEY.private, KEY.private.rstrip("\n"), KEY.private + "\n\n"],
    ids=["as it is", "no line end", "blank lines"],
)
def test_the_key_may_come_on_standard_input(agent: Agent, form: str) -> None:
    done = agent.run("--stdin", given=form)
    assert done.returncode == 0, done.stderr
    _said(done)
    agent.installed()
    assert not (agent.folder / "aws-called").exists()


def test_the_home_is_named_or_the_agents_own_variable_is_used(agent: Agent) -> None:
    (agent.folder / "ctm").rename(agent.folder / "a home")
    assert agent.run().returncode == 73
    home = {"CONTROLM": str(agent.folder / "a home")}
    assert agent.run("--check", environment=home).returncode == 1
    assert agent.run("--home", f"{agent.folder}/a home").returncode == 0
    assert agent.run("--check", environment=home).returncode == 0


@pytest.mark.parametrize(
    "given",
    ["", "hunter2\n", OTHER.private, KEY.public + "\n", KEY.private[:400], "{}\n"],
    ids=["nothing", "a password", "another key", "the public key", "cut short", "an empty document"],
)
def test_what_is_not_the_key_is_not_installed(agent: Agent, given: str) -> None:
    done = agent.run("--stdin", given=given)
    assert done.returncode == 76
    assert "hunter2" not in _said(done)
    assert list(agent.keys.iterdir()) == []


def test_another_key_of_that_name_is_left_alone(agent: Agent) -> None:
    agent.key.write_text(OTHER.private)
    agent.key.chmod(0o600)
    for words in ([], ["--check"]):
        done = agent.run(*words)
        assert done.returncode == (1 if words else 76)
        _said(done)
    assert agent.key.read_text() == OTHER.private


def test_a_name_that_is_no_file_is_left_alone(agent: Agent) -> None:
    agent.key.symlink_to(agent.folder / "elsewhere")
    assert agent.run().returncode == 73
    assert not (agent.folder / "elsewhere").exists()


def test_a_link_to_the_right_key_is_left_alone(agent: Agent) -> None:
    elsewhere = agent.folder / "elsewhere"
    elsewhere.write_text(KEY.private)
    elsewhere.chmod(0o640)
    agent.key.symlink_to(elsewhere)
    for words in ([], ["--check"]):
        done = agent.run(*words)
        assert done.returncode == 73
        assert "is a link" in _said(done)
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o640


def test_where_no_hard_link_can_be_made_its_own_words_are_repeated(agent: Agent) -> None:
    (agent.bin / "ln").unlink()
    (agent.bin / "ln").write_text('#!/bin/sh\necho "ln: $2: Operation not supported" >&2\nexit 1\n')
    (agent.bin / "ln").chmod(0o755)
    done = agent.run()
    assert done.returncode == 73
    assert "Operation not supported" in _said(done)
    assert "by hand" in done.stderr
    assert list(agent.keys.iterdir()) == []
    agent.key.write_text(KEY.private)
    agent.key.chmod(0o600)
    assert agent.run("--check").returncode == 0


def test_other_keys_stay(agent: Agent) -> None:
    old = agent.keys / "edbh_prd_ffffffff"
    old.write_text(OTHER.private)
    assert agent.run().returncode == 0
    assert old.read_text() == OTHER.private


def test_who_may_not_read_the_secret_is_told(agent: Agent) -> None:
    done = agent.run(environment={"AWS_FAILS": "1"})
    assert done.returncode == 69
    assert "AccessDeniedException" in done.stderr
    assert list(agent.keys.iterdir()) == []
    (agent.bin / "aws").unlink()
    done = agent.run()
    assert done.returncode == 69
    assert "--stdin" in done.stderr


def test_openssl_checks_the_key_where_there_is_no_ssh_keygen(agent: Agent) -> None:
    (agent.bin / "ssh-keygen").unlink()
    assert agent.run("--stdin", given=OTHER.private).returncode == 76
    assert agent.run().returncode == 0
    agent.installed()
    assert agent.run("--check").returncode == 0
    (agent.bin / "openssl").unlink()
    done = agent.run()
    assert done.returncode == 69
    assert "cannot be checked" in done.stderr


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can be somebody else")
def test_the_key_belongs_to_the_agents_account(agent: Agent) -> None:
    for folder in (agent.folder, agent.keys):
        os.chown(folder, 4711, 4712)
    assert agent.run().returncode == 0
    agent.installed()
    assert agent.key.stat().st_uid == 4711


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can be somebody else")
def test_a_folder_behind_a_link_tells_whose_key_it_is_and_not_the_link(agent: Agent) -> None:
    behind = agent.keys.rename(agent.folder / "behind")
    os.chown(behind, 4711, 4712)
    agent.keys.symlink_to(behind)
    for _ in range(2):
        assert agent.run().returncode == 0
        assert agent.key.stat().st_uid == 4711


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can be somebody else")
def test_the_right_key_of_another_account_is_given_to_the_agents(agent: Agent) -> None:
    agent.key.write_text(KEY.private)
    agent.key.chmod(0o600)
    for folder in (agent.folder, agent.keys):
        os.chown(folder, 4711, 4712)
    done = agent.run("--check")
    assert done.returncode == 1
    assert "belongs to another account (0)" in _said(done)
    assert "installed already" not in done.stdout
    assert agent.key.stat().st_uid == 0, "it only looked"
    done = agent.run()
    assert done.returncode == 0, done.stderr
    assert "installed already" in _said(done)
    agent.installed()
    assert agent.key.stat().st_uid == 4711
    assert agent.run("--check").returncode == 0


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can be somebody else")
def test_who_cannot_give_the_right_key_away_is_told(agent: Agent) -> None:
    agent.key.write_text(KEY.private)
    agent.key.chmod(0o644)
    os.chown(agent.keys, 4711, 4712)
    (agent.bin / "id").unlink()
    (agent.bin / "id").write_text("#!/bin/sh\necho 4711\n")
    (agent.bin / "id").chmod(0o755)
    done = agent.run()
    assert done.returncode == 77
    assert "run this as root" in _said(done)
    assert (agent.key.stat().st_uid, stat.S_IMODE(agent.key.stat().st_mode)) == (0, 0o644)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can be somebody else")
def test_a_stranger_is_told_whose_folder_it_is(agent: Agent) -> None:
    agent.keys.chmod(0o777)
    (agent.bin / "id").unlink()
    (agent.bin / "id").write_text("#!/bin/sh\necho 4711\n")
    (agent.bin / "id").chmod(0o755)
    done = agent.run()
    assert done.returncode == 77
    assert "as the account that owns" in done.stderr
    assert list(agent.keys.iterdir()) == []


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after it took effect"])
def test_a_kill_at_any_step_is_mended_by_the_same_script(tmp_path: Path, after: bool) -> None:
    number, killed = 0, 0
    while True:
        number += 1
        agent = Agent(tmp_path / f"{number}")
        done = agent.run(environment=agent.killed_at(number, after=after))
        if agent.key.exists():  # under its own name it is whole, or not there
            assert KeyPair.parse(agent.key.read_text(), "x").public == KEY.public
        if done.returncode != -signal.SIGKILL:
            break
        killed += 1
        for left in agent.keys.iterdir():
            assert stat.S_IMODE(left.stat().st_mode) == 0o600, "nobody else may read what is left"
        again = agent.run(environment=agent.killed_at(0, after=after))
        assert again.returncode == 0, (number, again.stderr)
        agent.installed()
    assert killed >= 5, "programs of one pipe may take the same number"
    agent.installed()


def test_a_wrong_word_is_usage(agent: Agent) -> None:
    for words in (["--what"], ["--home"]):
        assert agent.run(*words).returncode == 64


def test_nothing_secret_is_in_a_script() -> None:
    for text in scripts(WHAT).values():
        assert KEY.fingerprint in text
        assert "PRIVATE KEY-----" not in text
        assert "@" not in text.replace("@{", "").replace("@(", "").replace("$@", "").replace(
            "$LOGIN@$HOST", ""
        )


def test_a_hostile_word_stays_a_word(tmp_path: Path) -> None:
    hostile = replace(WHAT, secret="a'; touch pwned; '$(touch pwned)`touch pwned`", user="x'y")
    agent = Agent(tmp_path / "agent")
    done = agent.run(what=hostile)
    assert done.returncode == 0, done.stderr
    assert "$(touch pwned)" in (agent.folder / "aws-called").read_text()
    assert not list(tmp_path.rglob("pwned"))
    assert not Path("pwned").exists()
    for bad in ("a\nb", "-x", "#>\nStart-Process calc"):
        with pytest.raises(UsageError, match="cannot be written into a script"):
            scripts(replace(WHAT, secret=bad))


def _shellcheck(text: str) -> subprocess.CompletedProcess[str]:
    program = ROOT / ".venv" / "bin" / "shellcheck"
    return subprocess.run(
        [program, "--shell=sh", "--enable=all", "--exclude=SC2250,SC2292,SC2310,SC2312", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )


def test_shellcheck_finds_nothing() -> None:
    (text,) = (text for name, text in scripts(WHAT).items() if name.endswith(".sh"))
    done = _shellcheck(text)
    assert done.returncode == 0, done.stdout
    assert _shellcheck(text + "rm $target\n").returncode == 1


def _faults(text: str) -> list[str]:
    """Give the lines that the grammar of PowerShell does not know."""
    language = tree_sitter.Language(tree_sitter_powershell.language())
    found: list[str] = []
    nodes = [tree_sitter.Parser(language).parse(text.encode()).root_node]
    while nodes:
        node = nodes.pop()
        if node.is_error or node.is_missing:
            found.append(text.splitlines()[node.start_point[0]])
        nodes += node.children
    return found


def test_powershell_is_grammatical() -> None:
    """Nothing here can run it: that is said in the documentation."""
    (text,) = (text for name, text in scripts(WHAT).items() if name.endswith(".ps1"))
    assert _faults(text) == []
    assert _faults(text.replace("if (-not $AgentHome) {", "if -not $AgentHome {")) != []
    assert "NT AUTHORITY" not in text, "an English name: other languages of Windows have others"
    assert text.index("Remove-Left\n    if (Test-Path") < text.index("installed already"), "on every way"
    quoted = scripts(replace(WHAT, secret="it's"))
    assert "'it''s'" in quoted[f"install-{WHAT.name}.ps1"]
