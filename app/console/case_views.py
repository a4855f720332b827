"""The work: my queues, one queue, one case, and what is done with it."""

from __future__ import annotations

from datetime import datetime, time

from flask import Response, request

from app.cases import queries
from app.cases import service as cases
from app.cases.kinds import Kind
from app.cases.models import Case
from app.console import words
from app.console.desk import BATCH, batch_choices, desk, rows, told
from app.console.errors import HELP_REASON
from app.console.pages import HOME, blueprint, go, is_htmx, page
from app.core.access import Role, access, request_now, staff
from app.core.clock import SHANGHAI
from app.core.errors import NOT_FOUND, Problem
from app.core.staff import EVERYWHERE
from app.enrol import service as enrol
from app.policy.days import shanghai_day
from app.staff import service as staff_service

DONE = {
    "decided": "已办结：{}",
    "second_look": "已提交，等待另一位同事复核：{}",
    "waiting": "已办理，等待结果：{}",
}


@blueprint.get("/")
@access(Role.STAFF)
def queues() -> Response:
    """What waits for me, with its age as a picture."""
    now, who = request_now(), staff().staff
    found = queries.queues(who, now=now)
    midnight = datetime.combine(shanghai_day(now), time.min, SHANGHAI)
    return page(
        "queues.html",
        queues=found,
        most=max((queue.count for queue in found), default=0),
        total=sum(queue.count for queue in found),
        over=sum(queue.over for queue in found),
        done=queries.count_decided(who, since=midnight),
        kinds=queries.of_staff(who),
    )


@blueprint.get("/queues/<kind>")
@access(Role.STAFF)
def queue(kind: str) -> Response:
    """One queue, the oldest first; many at once, where the kind allows it."""
    return _queue(kind, [])


def _queue(name: str, results: list[tuple[str, bool, str]], text: str = "", status: int = 200) -> Response:
    now, who = request_now(), staff().staff
    kind = queries.kind_of_staff(who, name)
    shown = rows(who, kind, now=now)
    return page(
        "queue.html",
        status,
        text=text,
        kind=kind,
        rows=shown,
        left=queries.count_waiting(who, kind),
        batch=batch_choices(kind, shown, now=now),
        results=results,
        now=now,
    )


@blueprint.get("/queues/<kind>/next")
@access(Role.STAFF)
def next_case(kind: str) -> Response:
    """On to the oldest case that nobody has."""
    who = staff().staff
    found = queries.free(who, queries.kind_of_staff(who, kind), after=None, now=request_now(), limit=1)
    return go(f"/console/cases/{found[0].id}" if found else f"/console/queues/{kind}")


@blueprint.post("/queues/<kind>/decide")
@access(Role.STAFF)
def decide_many(kind: str) -> Response:
    """One decision about all the cases that were ticked, once `sure` says that these were meant; each for itself, and
    each says what became of it."""
    now, who, form = request_now(), staff().staff, request.form
    described = queries.kind_of_staff(who, kind)
    key, _, reason = form.get("decision", "").partition(":")
    decision = cases.batch_decision(described, key)
    ticked = form.getlist("case")[:BATCH]
    if form.get("sure") != "yes":
        return _ask_about(described, form.get("decision", ""), ticked)
    results = []
    for case_id in ticked:
        try:
            if queries.visible(who, case_id)[1] is not described:  # the same word may be another decision elsewhere
                raise NOT_FOUND()
            outcome = cases.decide_by_staff(who, case_id, key, reason=reason, now=now)
            results.append((case_id, True, DONE[outcome].format(decision.label)))
        except Problem as problem:
            results.append((case_id, False, problem.detail))
    return _queue(kind, results)


def _ask_about(kind: Kind, chosen: str, ticked: list[str]) -> Response:
    """How many, who, and what they will read: nothing is decided before one more key."""
    now, who = request_now(), staff().staff
    shown = [row for row in rows(who, kind, now=now) if row.case.id in ticked and row.free]
    choice = next((one for one in batch_choices(kind, shown, now=now) if one.value == chosen), None)
    if not ticked:
        return _queue(kind.name, [], "请先勾选要办理的工作，再点“批量办理”。", 422)
    if not shown:
        return _queue(kind.name, [], "选中的工作刚刚都由同事办理了，没有再办。", 409)
    if choice is None:
        raise HELP_REASON()
    reached, untold = told(choice, shown, now=now)
    gone = len(set(ticked)) - len(shown)
    return page("queue_sure.html", kind=kind, rows=shown, choice=choice, gone=gone, reached=reached, untold=untold)


@blueprint.get("/cases/<case_id>")
@access(Role.STAFF)
def show_case(case_id: str) -> Response:
    """One case: evidence, decisions, history."""
    case, _ = queries.visible(staff().staff, case_id)
    return _case(case)


def _case(case: Case, said: str = "", tone: str = "good") -> Response:
    who, now = staff().staff, request_now()
    kind = queries.kind_of_staff(who, case.kind)
    laid = desk(who, case, kind, now=now)
    response = page("_case.html" if is_htmx() else "case.html", desk=laid, said=said, tone=tone)
    if is_htmx():
        response.headers["HX-Push-Url"] = f"/console/cases/{case.id}"
    return response


@blueprint.post("/cases/<case_id>/claim")
@access(Role.STAFF)
def claim(case_id: str) -> Response:
    """Have the case for ten minutes; asked for by the page when it is shown."""
    cases.claim(staff().staff, case_id, now=request_now())
    return page("_claim.html")


@blueprint.post("/cases/<case_id>/release")
@access(Role.STAFF)
def release(case_id: str) -> Response:
    """Leave the case to the others."""
    cases.release(staff().staff, case_id, now=request_now())
    case, _ = queries.visible(staff().staff, case_id)
    return go(f"/console/queues/{case.kind}")


@blueprint.post("/cases/<case_id>/decide")
@access(Role.STAFF)
def decide(case_id: str) -> Response:
    """Decide; the answer is the next case of the queue."""
    who, now, form = staff().staff, request_now(), request.form
    case, kind = queries.visible(who, case_id)
    key = form.get("decision", "")
    outcome = cases.decide_by_staff(
        who, case_id, key, reason=form.get("reason", ""), note=form.get("note", ""), now=now
    )
    return _on(case, DONE[outcome].format(kind.decision(key).label))


@blueprint.post("/cases/<case_id>/confirm")
@access(Role.STAFF)
def confirm(case_id: str) -> Response:
    """The second look agrees to what the page showed."""
    who, now = staff().staff, request_now()
    case, _ = queries.visible(who, case_id)
    deed = cases.proposal(case, who.actor, now)
    cases.confirm(who, case_id, seen=request.form.get("proposed_at", ""), now=now)
    assert deed is not None, "nothing else can be confirmed"
    return _on(case, deed.decision.became(deed))


@blueprint.post("/cases/<case_id>/send-back")
@access(Role.STAFF)
def send_back(case_id: str) -> Response:
    """The second look does not agree."""
    case, _ = queries.visible(staff().staff, case_id)
    form = request.form
    cases.send_back(staff().staff, case_id, form.get("note", ""), seen=form.get("proposed_at", ""), now=request_now())
    return _on(case, "已退回重办。")


def _on(case: Case, said: str) -> Response:
    """The next case, claimed; or the queue's end."""
    who, now = staff().staff, request_now()
    kind = queries.kind_of_staff(who, case.kind)
    following = cases.take_next(who, kind, after=case, now=now)
    if not is_htmx():
        return go(f"/console/cases/{following.id}" if following else HOME)
    if following is not None:
        return _case(following, said)
    response = page("_empty.html", kind=kind, said=said, proposed=queries.count_proposed(who, kind))
    response.headers["HX-Push-Url"] = f"/console/queues/{kind.name}"
    return response


@blueprint.post("/cases/<case_id>/unmask")
@access(Role.STAFF)
def unmask(case_id: str) -> Response:
    """The person's data in the clear, for a reason; those that the decision would change, too."""
    case, kind = queries.visible(staff().staff, case_id)
    clear = enrol.unmask(
        staff().staff,
        case.programme or EVERYWHERE,
        case.person_id or "",
        ("name", "id_number", "phone"),
        reason=request.form.get("reason", ""),
        also=kind.also(case) if kind.also is not None else None,
        now=request_now(),
    )
    more = kind.clear(case) if kind.clear is not None else ()
    return page(
        "_clear.html" if is_htmx() else "clear.html", clear=clear, more=more, back=f"/console/cases/{case.id}"
    )


@blueprint.get("/cases/<case_id>/pictures/<name>")
@access(Role.STAFF)
def picture(case_id: str, name: str) -> Response:
    """A picture of the evidence."""
    data = cases.picture_of(staff().staff, case_id, name)
    return Response(data, content_type="image/jpeg", headers={"Content-Disposition": 'inline; filename="photo.jpg"'})


@blueprint.get("/cases/<case_id>/paper")
@access(Role.STAFF)
def paper(case_id: str) -> Response:
    """The PDF of the evidence: to keep, never to open in this page's own place."""
    data = cases.paper_of(staff().staff, case_id, now=request_now())
    return Response(
        data,
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{case_id}.pdf"'},
    )


@blueprint.get("/done")
@access(Role.STAFF)
def done() -> Response:
    """What was decided, the latest first: mine, or everybody's."""
    who, mine = staff().staff, request.args.get("whose") != "all"
    found = queries.decided(who, by=who.actor if mine else None, limit=100)
    names = staff_service.names({case.decided_by or "" for case in found})
    shown = [(case, queries.kind_of_staff(who, case.kind), words.actor(case.decided_by, names)) for case in found]
    return page("done.html", rows=shown, mine=mine)
