"""Keys are found by their kinds wherever they stand, shown masked, and ordinary text is let be."""

from __future__ import annotations

import json
import random
import string
from base64 import b64encode
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.secret_shapes import SHAPES, tried
from db.secrets import find_secrets, kinds_in, mask_secrets, masked, secrets_in
from tests.conftest import DATA

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def drawn(alphabet: str, length: int, seed: int) -> str:
    """Characters drawn by chance, as a key's are; nothing here was ever a key."""
    return "".join(random.Random(seed).choices(alphabet, k=length))


def kinds_of_keys(seed: int) -> dict[str, str]:
    """A made-up key of each kind."""
    upper = string.ascii_uppercase + string.digits
    return {
        "AWS access key": "AKIA" + drawn(upper, 16, seed),
        "GitHub token": "ghp_" + drawn(LETTERS, 36, seed),
        "GitLab token": "glpat-" + drawn(LETTERS, 20, seed),
        "Anthropic key": "sk-ant-api03-" + drawn(LETTERS + "-_", 93, seed) + "AA",
        "OpenRouter key": "sk-or-v1-" + drawn(HEX, 64, seed),
        "OpenAI key": f"sk-{drawn(LETTERS, 20, seed)}T3BlbkFJ{drawn(LETTERS, 20, seed + 1)}",
        "Hugging Face token": "hf_" + drawn(string.ascii_letters, 34, seed),
        "Slack token": f"xoxb-{drawn(string.digits, 12, seed)}-{drawn(LETTERS, 24, seed)}",
        "Slack webhook": "https://hooks.slack.com/services/T0/B0/" + drawn(LETTERS, 40, seed),
        "Google API key": "AIza" + drawn(LETTERS, 35, seed),
        "Google OAuth secret": "GOCSPX-" + drawn(LETTERS, 28, seed),
        "Groq key": "gsk_" + drawn(LETTERS, 52, seed),
        "Stripe key": "sk_live_" + drawn(LETTERS, 24, seed),
        "npm token": "npm_" + drawn(LETTERS, 36, seed),
        "Azure client secret": f"{drawn(LETTERS, 3, seed)}8Q~{drawn(LETTERS, 34, seed)}",
        "LangSmith key": f"lsv2_pt_{drawn(HEX, 32, seed)}_{drawn(HEX, 10, seed)}",
        "Databricks token": "dapi" + drawn(HEX, 32, seed),
        "Vault token": "hvs." + drawn(LETTERS, 90, seed),
        "Docker token": "dckr_pat_" + drawn(LETTERS, 27, seed),
        "Shopify token": "shpat_" + drawn(HEX, 32, seed),
        "Grafana token": f"glsa_{drawn(LETTERS, 32, seed)}_{drawn(HEX, 8, seed)}",
        "Mailchimp key": drawn(HEX, 32, seed) + "-us12",
        "Discord webhook": "https://discord.com/api/webhooks/123456789012345678/"
        + drawn(LETTERS, 68, seed),
        "JSON web token": ".".join(
            (f"eyJ{drawn(LETTERS, 20, seed)}", f"eyJ{drawn(LETTERS, 40, seed)}",
             drawn(LETTERS + "-_", 43, seed))
        ),
        "private key": "-----BEGIN RSA PRIVATE KEY-----\n"
        + "\n".join(drawn(LETTERS + "+/", 64, seed + n) for n in range(4))
        + "\n-----END RSA PRIVATE KEY-----",
    }  # fmt: skip


@pytest.mark.parametrize("kind", kinds_of_keys(0))
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    before=st.sampled_from(["", "export KEY=", '"', "token: ", "(", "\n", "ключ ", "\\n", "<b>"]),
    after=st.sampled_from(["", '"', "\n", " and more", ";", "</b>", "\\n", ")"]),
)
def test_each_kind_is_found_whole_and_masked(kind: str, seed: int, before: str, after: str) -> None:
    key = kinds_of_keys(seed)[kind]
    text = before + key + after
    found = list(find_secrets(text))
    assert [secret.kind for secret in found] == [kind]
    assert key in text[found[0].start : found[0].end]
    assert mask_secrets(text) == f"{before}[{kind}]{after}"
    assert key not in found[0].masked


@pytest.mark.parametrize(
    "written",
    ["api_key={}", 'API_KEY = "{}"', "apiKey: '{}'", '{{"client_secret": "{}"}}', "password: {}",
     "Authorization: Bearer {}", "Authorization: token {}", "AWS_SESSION_TOKEN={}",
     "CI_TOKEN={}", "https://x.test/c?sp=r&sig={}",
     '\\"access_token\\": \\"{}\\"', "AWS_SECRET_ACCESS_KEY={}"],
)  # fmt: skip
def test_a_value_that_looks_drawn_counts_behind_a_telling_name(written: str) -> None:
    for seed in range(20):
        value = drawn(LETTERS, 40, seed)
        text = written.format(value)
        assert value not in mask_secrets(text)
        assert len(list(find_secrets(text))) == 1


@pytest.mark.parametrize(
    "innocent",
    [
        "sk-learn and sk-ant colony", "AKIA", "a hash 0123456789abcdef0123456789abcdef",
        "commit 4a1f2c9e8b7d6a5f4e3d2c1b0a9f8e7d6c5b4a39", "http://localhost:8000/y@z",
        'api_key = os.environ["SERVICE_API_KEY"]', "token = get_access_token(request.user)",
        'api_key="your-api-key-goes-here-1"', "password: str = Field(min_length=12)",
        "secret_key=settings.security.secret_key2", "postgres://user:password@localhost/db",
        "postgresql+psycopg://postgres:postgres@db:5432/app", "max_tokens: 4096, temperature: 0.7",
        "def test_token_is_refreshed_after_30_minutes(): ...", "<token>", "password=********",
        "AKIAIOSFODNN7EXAMPLE", "amqp://guest:guest@localhost:5672//",
        "-----BEGIN RSA PRIVATE KEY----- opens such a key, and -----END tells where it ends",
        "class SecretKeyFactoryBuilder: secret: SecretKeyFactoryBuilder",
        "-----BEGIN PUBLIC KEY-----", "-----BEGIN PRIVATE KEY----- goes first",
        "primary_key=True, private_key_path='/etc/ssl/private/server1.pem'",
    ],
)  # fmt: skip
def test_what_is_no_secret_is_let_be(innocent: str) -> None:
    assert list(find_secrets(innocent)) == []


@pytest.mark.parametrize(
    "written",
    [
        'password = "{}"', "password: '{}'", '{{"password": "{}", "n": 1}}',
        "PGPASSWORD={} psql -h db", "DB_PASSWORD={}", "export MYSQL_PWD='{}'",
        'userPassword: "{}",', "password: str = '{}'", "db:\n  password: {}\n  port: 1",
        "- POSTGRES_PASSWORD={}\n", "login --password {} --host x", '{{\\"passwd\\": \\"{}\\"}}',
        "os.environ['DB_PASSWORD'] = '{}'", "passphrase := `x`; passphrase := \"{}\"",
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", ["hunter2xyz", "s3cr3tPw", "Zx9!kk#2", "aB3#fG7!kL9@"])
def test_a_short_password_counts_where_it_is_told_to_be_one(written: str, value: str) -> None:
    text = written.format(value)
    assert mask_secrets(text) == written.format("[password]")
    assert kinds_in(json.dumps([{"content": text}])) == {"password": 1}
    assert masked({"args": {"db_password": value}}) == {"args": {"db_password": "[password]"}}


@pytest.mark.parametrize(
    "innocent",
    [
        "password = os.environ['DB_PASSWORD1']", "password: str", '"password": "***"',
        "password: hash2", 'password = "your-password1"', "password=changeme1",
        "DB_PASSWORD=<password1>", "PASSWORD=${PASSWORD1}", "password=$PASS1 psql",
        "login(user=user1, password=password1)", "connect(password=pw1, host=h2)",
        "password: settings.db.value1", "if password == 'abc12345':",
        'password: "must have 8 characters"', "--password-file=/run/secrets/db1",
        "password: Optional[str]", '"password": "pbkdf2_sha256$1$x"', "password: input1.value,",
        'password = f"{user1}pw"', "PASSWORD=$(cat file1)", "PASSWORD=`pass show db1`",
        "--password xxxxxxx1", "Password: 8+ characters", 'name="password1" id="password2"',
        "password = self.field1.text", "password: String2,", "password?: string1;",
        "PWD=/home/me/work1", '"password": "/run/secrets/db1"',
    ],
)  # fmt: skip
def test_code_about_passwords_is_let_be(innocent: str) -> None:
    assert list(find_secrets(innocent)) == []
    assert not masked({"password": "string", "pwd": "${PASSWORD1}"})["password"].startswith("[")


def test_a_shape_begins_at_its_cue_or_as_far_before_it_as_is_told() -> None:
    """Of a long run only the places around cues are tried, so each kind must be found there."""
    for kind, key in kinds_of_keys(5).items():
        if kind not in ("private key", "Azure client secret", "Slack token"):
            run = f"{'ab/' * 200}{'' if key.startswith('https') else '/'}"
            assert key not in mask_secrets(f"{run} {key}/{'ab/' * 200}"), kind


def test_every_attempt_at_a_shape_is_bounded() -> None:
    """And each cue is tried at a bounded number of places: so any text is read in linear time."""
    from re import _parser  # type: ignore[attr-defined]

    for kind, (cues, shape) in SHAPES.items():
        assert _parser.parse(shape).getwidth()[1] <= 20_000, kind
        text = cues[0] * 1000
        assert len(tried(kind, text, 0, len(text))) <= 41 * 1000


PEM_LINES = [drawn(LETTERS + "+/", 64, n) for n in range(8)]
PEM = "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *PEM_LINES, "-----END RSA PRIVATE KEY-----"])


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(PEM, id="as it is"),
        pytest.param(PEM.replace("\n", "\n> "), id="quoted"),
        pytest.param(PEM.replace("\n", "\n+"), id="in a diff"),
        pytest.param(PEM.replace("\n", "\n  12\t"), id="with line numbers"),
        pytest.param(
            PEM.replace(
                "Y-----\n", "Y-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0F\n\n", 1
            ),
            id="with headers",
        ),
        pytest.param(json.dumps({"type": "service_account", "private_key": PEM}), id="in json"),
        pytest.param(json.dumps(json.dumps({"private_key": PEM})), id="in json in json"),
        pytest.param(PEM[:300], id="cut off"),
    ],
)
def test_a_private_key_in_whatever_it_is_wrapped(written: str) -> None:
    text = f"before {written} after"
    assert kinds_in(json.dumps([{"content": text}])) == {"private key": 1}
    assert not any(line in mask_secrets(text) for line in PEM_LINES)


@pytest.mark.parametrize(
    "written", ["Authorization: Basic {}", '{{"auths": {{"x": {{"auth": "{}"}}}}}}']
)
def test_a_password_in_base64_counts_where_it_is_told_to_be_one(written: str) -> None:
    for seed in range(10):
        packed = b64encode(f"bob:{drawn(LETTERS, 14, seed)}".encode()).decode()
        text = written.format(packed)
        assert packed not in mask_secrets(text)
        assert kinds_in(json.dumps([text])) == {"basic credentials": 1}
    packed = b64encode(b"user:password").decode()
    assert list(find_secrets(written.format(packed))) == []


def test_a_long_picture_hides_no_key_and_is_none() -> None:
    picture = "data:image/png;base64," + drawn(LETTERS + "+/", 20_000, 1)
    assert list(find_secrets(picture)) == []
    key = kinds_of_keys(3)["Azure client secret"]
    assert key not in mask_secrets(f"/{picture}/ {key}")


def test_secrets_are_found_in_the_values_of_calls() -> None:
    value = drawn(LETTERS, 32, 3)
    call = {"function": {"name": "log_in", "arguments": {"service_api_key": value, "n": [1]}}}
    found = list(secrets_in([{"role": "assistant", "content": "", "tool_calls": [call]}]))
    assert [secret.kind for secret in found] == ["key in an assignment"]
    assert value not in repr(found)
    schema = {"properties": {"api_key": {"type": "string", "description": "the key"}}}
    assert list(secrets_in(schema)) == []


@pytest.mark.parametrize("kind", kinds_of_keys(0))
@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    before=st.sampled_from(["", "\n", "\t", '"', "é", "\\n", '{"k": "', "https://x.test/", "\\\\"]),
)
def test_what_a_text_holds_is_counted_in_its_json_too(kind: str, seed: int, before: str) -> None:
    """The stored JSON is looked at first, and as a whole: it must let none pass."""
    text = before + kinds_of_keys(seed)[kind]
    expected = [secret.kind for secret in find_secrets(text)]
    stored = json.dumps([{"role": "user", "content": [text, {"again": text}]}], ensure_ascii=False)
    assert list(kinds_in(stored, None).elements()) == expected


@pytest.mark.parametrize("name", ["api_key", "SERVICE_TOKEN", "password", "Authorization: Bearer"])
@pytest.mark.parametrize("between", ["=", ": ", ' = "', '": "', "=\n", "\t:\n  "])
def test_assignments_are_counted_in_json_too(name: str, between: str) -> None:
    for seed in range(10):
        text = f"{name}{between}{drawn(LETTERS, 32, seed)}"
        expected = [secret.kind for secret in find_secrets(text)]
        assert list(kinds_in(json.dumps({"x": [text]})).elements()) == expected
        value = {name: drawn(LETTERS, 32, seed)}
        assert kinds_in(json.dumps(value)).total() == len(list(secrets_in(value)))


def test_a_secret_that_one_place_tells_is_masked_in_every_other() -> None:
    key = drawn(LETTERS, 32, 4)
    value = {"api_key": key, "said": [f"I will use {key} now", {"n": 1, "none": None}]}
    assert masked(value) == {
        "api_key": "[key in an assignment]",
        "said": ["I will use [key in an assignment] now", {"n": 1, "none": None}],
    }
    assert kinds_in(json.dumps(value)).total() == 1, "one secret, however often it stands there"


def test_a_short_password_masks_no_word_elsewhere() -> None:
    text = "postgres://app:hunter2@db and hunter2hood"
    assert mask_secrets(text) == "postgres://app:[password in a URL]@db and hunter2hood"


PIECES = [
    "eyJ", ".", "-", "sk-", "sk-ant-", "-----BEGIN PRIVATE KEY-----", "a", "AKIA", "://", ":", "@",
    "api_key=", "A1b2", "ghp_", " ", "\n", "=", '"', "ya29.", "T3BlbkFJ", "é",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join) | st.text(max_size=80))
def test_no_text_raises_and_what_is_masked_holds_no_secret(text: str) -> None:
    found = list(find_secrets(text))
    assert all(0 <= secret.start < secret.end <= len(text) for secret in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    masked = mask_secrets(text)
    assert all(text[secret.start : secret.end] not in masked or secret.end - secret.start < 12
               for secret in found)  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_a_megabyte_of_any_piece_is_read_in_passing(piece: str) -> None:
    """With a quadratic pattern some of these would take hours."""
    for text in (piece * (1_000_000 // len(piece)), f"-{piece}" * (1_000_000 // (len(piece) + 1))):
        assert len(list(find_secrets(text))) < 100_000


def test_real_logs_hold_next_to_no_false_alarm() -> None:
    if not DATA.is_dir():
        pytest.skip(f"the real data is not at {DATA}")
    found = [
        secret
        for path in sorted((DATA / "logs").rglob("*.js*"))
        for secret in find_secrets(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert len(found) <= 5  # the passwords that two answers hold, quoted again
