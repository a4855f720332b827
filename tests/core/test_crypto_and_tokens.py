"""Encrypted fields, masks, signed texts."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import crypto, tokens
from config.settings import Secrets, Settings

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


def a_vault(*key_ids: str) -> crypto.Vault:
    return crypto.Vault({key_id: os.urandom(32) for key_id in key_ids}, {"k1": os.urandom(32)})


@given(st.text(max_size=60))
def test_what_is_sealed_opens_again_in_its_own_row(text: str) -> None:
    vault = a_vault("k1")
    assert vault.open_(vault.seal(text, "person.name.1"), "person.name.1") == text


def test_a_value_copied_into_another_row_does_not_open() -> None:
    vault = a_vault("k1")
    with pytest.raises(crypto.CannotOpen):
        vault.open_(vault.seal("110101199003070011", "person.id_number.1"), "person.id_number.2")


def test_any_changed_byte_is_noticed() -> None:
    vault = a_vault("k1")
    sealed = bytearray(vault.seal_bytes(b"secret", "a"))
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(crypto.CannotOpen):
            vault.open_bytes(bytes(changed), "a")


def test_an_old_key_still_opens_after_a_new_one_encrypts() -> None:
    old_key, new_key, index_key = os.urandom(32), os.urandom(32), {"k1": os.urandom(32)}
    sealed = crypto.Vault({"k1": old_key}, index_key).seal("text", "a")
    both = crypto.Vault({"k2": new_key, "k1": old_key}, index_key)
    assert both.open_(sealed, "a") == "text"
    assert base64.b64decode(both.seal("text", "a")).startswith(b"k2\0")


def test_the_index_is_the_same_for_the_same_value_and_purpose_only() -> None:
    vault = a_vault("k1")
    assert vault.index("person.phone", "13800138000") == vault.index("person.phone", "13800138000")
    assert vault.index("person.phone", "13800138000") != vault.index("person.id_number", "13800138000")


@pytest.mark.parametrize(
    ("value", "masked"),
    [("110101199003070011", "110***********0011"), ("13800138000", "138****8000")],
)
def test_numbers_are_masked_in_the_middle(value: str, masked: str) -> None:
    assert crypto.mask_id_number(value) == masked


@pytest.mark.parametrize(
    ("name", "masked"), [("张三", "张*"), ("欧阳锋", "欧**"), ("买买提·艾力", "买****力"), ("王", "王")]
)
def test_names_keep_their_first_character(name: str, masked: str) -> None:
    assert crypto.mask_name(name) == masked


def test_a_signed_text_comes_back_until_it_expires(settings: Settings) -> None:
    token = tokens.sign("test", "a", 7, expires=NOW + timedelta(seconds=10))
    assert tokens.verify("test", token, NOW + timedelta(seconds=9)) == ["a", "7"]
    with pytest.raises(tokens.BadToken):
        tokens.verify("test", token, NOW + timedelta(seconds=10))


def test_a_signed_text_that_was_believed_is_not_once_its_key_is_gone(settings: Settings) -> None:
    token = tokens.sign("test", "a", expires=NOW + timedelta(days=1))
    assert tokens.verify("test", token, NOW) == ["a"]
    another = Secrets(None, {"APP_SECRET_KEY": base64.b64encode(os.urandom(32)).decode()})
    try:
        tokens.init(another)
        with pytest.raises(tokens.BadToken):
            tokens.verify("test", token, NOW)
    finally:
        tokens.init(settings.secrets)


def test_a_signed_text_is_good_for_its_purpose_only(settings: Settings) -> None:
    token = tokens.sign("session", "a", expires=NOW + timedelta(days=1))
    with pytest.raises(tokens.BadToken):
        tokens.verify("ticket", token, NOW)


def test_every_changed_character_of_a_signed_text_is_refused(settings: Settings) -> None:
    token = tokens.sign("test", "person", expires=NOW + timedelta(days=1))
    for position, character in enumerate(token):
        changed = token[:position] + ("A" if character != "A" else "B") + token[position + 1 :]
        with pytest.raises(tokens.BadToken):
            tokens.verify("test", changed, NOW)


@given(st.text(max_size=80))
def test_hostile_texts_are_refused_as_tokens(text: str) -> None:
    with pytest.raises(tokens.BadToken):
        tokens.verify("test", text, NOW)
