"""What counts as a secret by its place, and what of ordinary programs does not."""

from __future__ import annotations

import email
import http
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labs import coin_study

import novum
from novum.core.model.budget import AuthorBudget, Budget, LevelSettings
from novum.core.model.errors import StudyError
from novum.core.model.study import (
    CommentSettings,
    GateSettings,
    Guardrail,
    PolicyRule,
    PolicySettings,
    ResearcherSettings,
)
from novum.core.model.trial import Limits
from novum.lab.session import session
from novum.lab.study_checks import check_secrets
from novum.text.secret_scan import REMOVED, Secrets

NOTHING_KNOWN = Secrets()

SECRET = r"""
abcd1234efgh5678 in OPENAI_API_KEY=abcd1234efgh5678
abcd1234efgh5678 in export OPENAI_API_KEY=abcd1234efgh5678 && python train.py
abcd1234efgh5678 in OPENAI_API_KEY: abcd1234efgh5678
abcd1234efgh5678 in run --api-key=abcd1234efgh5678 now
abcd1234efgh5678 in api_key = abcd1234efgh5678
abcd1234efgh5678 in config.api_key = "abcd1234efgh5678"
abcd1234efgh5678 in {"openai_api_key": "abcd1234efgh5678"}
abcd1234efgh5678 in {\"api_key\": \"abcd1234efgh5678\"}
a8f5f167f44f4964 in STRIPE_WEBHOOK_SECRET=a8f5f167f44f4964
q1w2e3r4t5y6 in SLACK_TOKEN=q1w2e3r4t5y6
q1w2e3r4t5y6 in export MY_SECRET='q1w2e3r4t5y6'
wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY in aws_secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY in aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY in AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
0123456789abcdef0123456789abcdef in AZURE_OPENAI_KEY="0123456789abcdef0123456789abcdef"
0123456789abcdef0123456789abcdef in AZURE_OPENAI_KEY=0123456789abcdef0123456789abcdef
0123456789abcdef0123456789abcdef in azure_openai_key = '0123456789abcdef0123456789abcdef'
8Q~abcDEF123ghi in client_secret = "8Q~abcDEF123ghi"
swordfish99 in password=swordfish99
swordfish99 in the password=swordfish99 and more of it
swordfish99 in PGPASSWORD=swordfish99
swordfish99 in DB_PASSWD=swordfish99;
swordfish99 in mysql://host/db?password=swordfish99&x=1
Xk9f2kk3l in password: Xk9f2kk3l
correct-horse in password = "correct-horse"
hunter2hunter2 in passwd='hunter2hunter2'
hunter2hunter2 in api_key = 'hunter2hunter2'
abcd1234efgh in x-api-key: abcd1234efgh
abcd1234efgh in "x-api-key": "abcd1234efgh"
dXNlcjpwYXNzd29yZA in Authorization: Basic dXNlcjpwYXNzd29yZA==
dXNlcjpwYXNzd29yZA in "Authorization": "Basic dXNlcjpwYXNzd29yZA=="
abcd1234 in authorization: Bearer abcd1234
0123456789abcdef in Authorization: token 0123456789abcdef
4eC39HqLyjWDarjtT1zdp7dc in sk_live_4eC39HqLyjWDarjtT1zdp7dc
4eC39HqLyjWDarjtT1zdp7dc in pay(sk_test_4eC39HqLyjWDarjtT1zdp7dc)
x0a1b2c3d4e5f6 in https://x0a1b2c3d4e5f6@github.com/a/b
0123456789abcdef0123 in git+https://0123456789abcdef0123@host/x
swordfish in https://user:swordfish@host/x
s3cret in postgres://app:s3cret@db/x
swordfish in https://example_user:swordfish@host/x
""".strip().splitlines()

ORDINARY = r"""
key = "name"
token = tokens[i]
d_key=8
max_tokens=100
tokens = "abcdefgh12345678"
password = getpass()
password = input("password: ")
password = hashlib.sha256(text).hexdigest()
self.password = password
password: Base64Bytes
password = "********"
password = "<password1>"
password="{password}"
secret = random_bytes(32)
secret = secrets.token_hex(16)
secret_key = seed1234 + offset
api_key = os.environ["X"]
api_key = os.environ.get("OPENAI_API_KEY")
api_key=os.getenv("KEY123456")
api_key: str | None = None
api_key = api_key2
api_key=self.api_key_2
api_key = config.provider2.api_key
api_key = base64url1 if x else y
api_key = "YOUR_API_KEY_1"
api_key = "your-key-here1"
api_key = "xxxxxxxxxxxx"
if api_key == default12345:
client = Client(api_key=api_key2, secret=secret1)
def f(x, *, api_key: str = "", password: str = "") -> None:
OPENAI_API_KEY=${OPENAI_API_KEY1}
OPENAI_API_KEY=$KEY12345678
OPENAI_API_KEY="$KEY12345678"
cache_key = "layer1_weights"
state_key = "model.layers.0.attn.q_proj.weight"
ATTN_KEY = "attn_key_0001"
sort_key = "descending_order"
SORT_KEY = default_column_2
primary_key = "customer_id_2"
PRIMARY_KEY = "customer_id_2"
foreign_key=columns2_names
dropout_key, sub_key = jax.random.split(rng_key)
dropout_key = dropout_key2
kv_key = k_proj1(x)
num_key = n_heads2*d_head64
num_key=n_heads2//d_head64
MASK_KEY=0x7fffffff12345678
N_KEY=1.2500000e-10
TOKEN_KEY: Float32Array
query_key_value = "abcdefgh12345678"
hash_keys=abcd1234efgh5678
public_key = "0123456789abcdef0123456789abcdef"
keyboard = "abcdefgh12345678"
PAD_TOKEN=50256
pad_token_id = 50256
EOS_TOKEN = "<|endoftext|>"
BOS_TOKEN = "<s_token_0001>"
UNK_TOKEN = "[UNKNOWN01]"
sep_token = '</s_0000001>'
sub_token="wordpiece2vec"
next_token = logits.argmax(-1)
next_token=logits2d.argmax
SSH_KEY=/home/user/.ssh/id_ed25519
private_key=~/keys/key1.pem
PRIVATE_KEY_FILE=key12345678
x-api-key: required
Authorization: required
authorization = "Basic " + encoded
Basic training12345 of the model
f"https://{user}:{password}@{host}"
"https://%s:%s@host" % pair
git@github.com:a/b.git
ssh://git@github.com/a/b
sqlalchemy://build_server_01@host
https://example.com/@user/post
""".strip().splitlines()


@pytest.mark.parametrize("case", SECRET)
def test_a_secret_is_known_by_its_place(case):
    secret, _, text = case.partition(" in ")
    for around in (text, f"first\n{text}\nlast", f"    {text}"):
        left = NOTHING_KNOWN.clean(around)
        assert secret not in left
        assert left.count(REMOVED) == 1
        assert NOTHING_KNOWN.clean(left) == left


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_code_stays_as_it_is(text):
    assert NOTHING_KNOWN.clean(text) == text


def test_real_programs_stay_as_they_are():
    changed, total = [], 0
    for place in (json, http, email, novum):
        for path in Path(place.__file__).parent.rglob("*.py"):
            text = path.read_text()
            total += text.count("\n")
            if NOTHING_KNOWN.clean(text) != text:
                changed.append(path)
    assert total > 40_000
    assert changed == []


@given(st.text("aB1_-=:\"' \n{}\\/.@key", max_size=200))
def test_cleaning_again_changes_nothing(text):
    once = NOTHING_KNOWN.clean(text)
    assert NOTHING_KNOWN.clean(once) == once


@pytest.mark.parametrize(
    "piece",
    ["_key=", 'password="', "secret: ", "https://", "api_key=aaaa", "aaaa", "{}", "a.", "a_1_", "://a:", "-----BEGIN ",
     "eyJ-", "eyJ", "-eyJaaaaaaaaaaaa.", "://a:b@", "x-api-key: ", "sk-", "xoxb-", "hf_", "Bearer ",
     "authorization: basic "],
)  # fmt: skip
@pytest.mark.parametrize("before", ["password=", "", "https://"])
def test_no_text_takes_long(piece, before):
    text = before + piece * (60_000 // len(piece))
    began = time.process_time()
    NOTHING_KNOWN.clean(text)
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    "name", ["DB_PASSWD", "PGPASSWORD", "PGPASSFILE", "GITHUB_PAT", "PAT", "GOOGLE_APPLICATION_CREDENTIALS", "A_KEY"]
)
def test_values_of_telling_variables_are_secret(name):
    assert Secrets.of({name: "correct horse"}).clean("a correct horse b") == f"a {REMOVED} b"


@pytest.mark.parametrize("name", ["PATH", "HOMEPATH", "PATTERN", "MY_PATIENCE", "COMPASS_PORT"])
def test_values_of_others_are_not(name):
    assert Secrets.of({name: "correct horse"}).clean("a correct horse b") == "a correct horse b"


KEY = "sk-" + "a1B2" * 8
PLACES = {
    "name": {"name": KEY},
    "arena": {"arena": KEY},
    "question": {"question": f"why {KEY}?"},
    "options.world": {"options": {"world": KEY}},
    "baseline.spin": {"baseline": {"spin": KEY}},
    "researcher.name": {"researcher": ResearcherSettings(KEY)},
    "researcher.options.model": {"researcher": ResearcherSettings("language", {"model": f"m@http://u:{KEY}@host/v1"})},
    "policy.rules.author": {"policy": PolicySettings((PolicyRule("propose", "yes"), PolicyRule("spend", "no", KEY)))},
    "budgets.researchers.author": {"budgets": LevelSettings((AuthorBudget(KEY, Budget(trials=5)),))},
    "gate.guardrails.metric": {"gate": GateSettings(guardrails=(Guardrail(KEY, 0.1),))},
    "comments.model": {"comments": CommentSettings(KEY)},
    "comments.replay": {"comments": CommentSettings(replay=f"/tmp/{KEY}")},
    "executor": {"executor": KEY},
}


@pytest.mark.parametrize("place", list(PLACES))
def test_a_study_holds_no_secret_anywhere(place):
    with pytest.raises(StudyError) as error:
        check_secrets(coin_study(**PLACES[place]), NOTHING_KNOWN)
    assert str(error.value).startswith(f"{place}: holds what looks like a key")
    assert KEY not in str(error.value)


def test_neither_do_the_names_of_its_options():
    with pytest.raises(StudyError, match=r"^options: holds"):
        check_secrets(coin_study(options={KEY: 1}), NOTHING_KNOWN)


def test_an_ordinary_study_passes():
    check_secrets(
        coin_study(limits=Limits(), question="What is the best key_size=8 for max_tokens=100?"), NOTHING_KNOWN
    )


def test_a_lab_is_not_opened_with_the_value_of_a_variable_in_a_rule(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "Zq7-supersecretvalue-123")
    rule = PolicyRule("propose", "yes", "Zq7-supersecretvalue-123")
    with (
        pytest.raises(StudyError, match=r"policy\.rules\.author"),
        session(coin_study(policy=PolicySettings((rule,))), Budget(trials=10), tmp_path / "lab"),
    ):
        pass
    assert not (tmp_path / "lab").exists()
