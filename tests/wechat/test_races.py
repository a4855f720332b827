"""A sign-in by WeChat while the WeChat is taken away; a page that goes on while the password changes."""

from __future__ import annotations

from app.account import own_password
from app.account import service as account
from app.account.models import Person
from app.core.access import Identity
from app.core.clock import utcnow
from app.core.ids import new_id
from app.face import scan
from app.wechat import service
from tests.factories import PASSWORD, a_person, a_session
from tests.races import overtaken, unlocked
from tests.wechat.phones import a_bound_person, a_code
from tests.wechat.scanning import Page, Phone
from tests.world import World


def outlives(world: World) -> bool:
    """The owner takes the WeChat away while somebody signs in by it: whether that session lives on."""
    openid = f"o{new_id()}"
    person: Person = a_bound_person(world, openid)
    who = account.authenticate(a_session(person), now=utcnow())
    assert isinstance(who, Identity)
    owner = who
    code = a_code(world.sandbox, openid)
    with overtaken(service, "holds", lambda: service.unbind(owner, PASSWORD, now=utcnow())) as unbound:
        signed_in = service.log_in("yunnan", code, "192.0.2.1", now=utcnow())
    assert unbound == [None]
    return isinstance(signed_in, service.SignedIn) and account.authenticate(signed_in.token, now=utcnow()) is not None


def test_a_session_by_wechat_does_not_outlive_its_binding(world: World) -> None:
    assert not outlives(world)


def test_twin_without_the_lock_it_does(world: World, servers_only: None) -> None:
    with unlocked():
        assert outlives(world)


def page_outlives(world: World) -> bool:
    """The owner changes the password while a page takes what the phone confirmed: whether its session lives on."""
    person = a_person()
    who = account.authenticate(a_session(person), now=utcnow())
    assert isinstance(who, Identity)
    owner, page = who, Page(world)
    page.ask()
    Phone(world, person).approve(page)
    with overtaken(
        service, "use_ticket", lambda: own_password.change(owner, "Neuanfang-7", PASSWORD, now=utcnow())
    ) as changed:
        opened = scan.go_on(page.id, page.secret, now=utcnow())
    assert changed == ["home"]
    assert opened.token is not None
    return account.authenticate(opened.token, now=utcnow()) is not None


def test_a_session_by_a_scanned_code_does_not_outlive_the_password(world: World) -> None:
    assert not page_outlives(world)


def test_twin_without_the_lock_the_page_stays_signed_in(world: World, servers_only: None) -> None:
    with unlocked():
        assert page_outlives(world)
