"""Reference data by Flask-Admin: tables that are looked up, and that nobody works in (docs/decisions/0068).

Its views run inside of the console: the same sign-in, rights and tokens of forms, our own templates (so nothing
stands inline), and the domain's verbs in place of rows that are written directly."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, Response, request
from flask.sansio.blueprints import BlueprintSetupState
from flask.sessions import SessionInterface, SessionMixin
from flask_admin import Admin, BaseView, expose
from flask_admin.form import BaseForm
from flask_admin.model import BaseModelView
from wtforms import DateField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from app.console.pages import blueprint, page
from app.core import audit
from app.core.access import Role, access, request_now, staff
from app.core.errors import FORBIDDEN, Problem
from app.core.staff import EVERYWHERE, Right
from app.policy import told
from app.policy.models import CalendarDay
from app.staff import service as staff_service

ADMINISTRATORS = (Right.ADMINISTRATOR,)
URL = "/console/reference"
VIEWS = ("index_view", "create_view", "edit_view", "delete_view")  # of the many that Flask-Admin has


class Passing(dict[str, Any], SessionMixin):
    """What Flask-Admin says about its own deeds, for the length of a request."""


class NoCookie(SessionInterface):
    """Flask's session, kept nowhere: the staff's session is a row, and there is no second cookie."""

    def open_session(self, app: Flask, _request: Any) -> Passing:
        """An empty one."""
        return Passing()

    def save_session(self, app: Flask, session: SessionMixin, response: Any) -> None:
        """Forget it."""


class InConsole(BaseView):  # type: ignore[misc]
    """A view of Flask-Admin inside of the console, for administrators of everything."""

    def is_accessible(self) -> bool:
        """Who may: reference data are of no programme."""
        return staff().staff.may(Right.ADMINISTRATOR, EVERYWHERE)

    def create_blueprint(self, admin: Admin) -> Any:
        """Nothing of it is the API's."""
        made = super().create_blueprint(admin)
        made.enable_openapi = False
        return made

    def inaccessible_callback(self, name: str, **_: Any) -> None:
        """The console's refusal."""
        raise FORBIDDEN()

    def render(self, template: str, **values: Any) -> Response:
        """One of our own templates, in the console's frame."""
        return page(template, get_url=self.get_url, tables=TABLES, **values)


class Home(InConsole):
    """Which tables there are."""

    @expose("/")  # type: ignore[untyped-decorator]
    def index(self) -> Response:
        """The list."""
        return self.render("reference.html")


class DayForm(BaseForm):  # type: ignore[misc]
    """A day of the calendar."""

    class Meta:
        locales = ("zh",)

    day = DateField("日期", validators=[InputRequired("请选择日期。")])
    working = SelectField("这一天", choices=[("no", "放假"), ("yes", "上班")])
    note = StringField("依据（例如通知的文号）", validators=[InputRequired("请写明依据。"), Length(max=64)])


class CalendarDays(InConsole, BaseModelView):  # type: ignore[misc]
    """Days that the state told after the calendar's release."""

    list_template, create_template, edit_template = (
        "reference_list.html",
        "reference_form.html",
        "reference_form.html",
    )
    can_view_details = can_export = False
    column_labels = {"day": "日期", "working": "这一天", "note": "依据"}

    def __init__(self) -> None:
        super().__init__(CalendarDay, name="法定节假日与调休", endpoint="calendar_day", url=f"{URL}/calendar-days")
        self._urls: list[Any] = [rule for rule in self._urls if rule[1] in VIEWS]

    def scaffold_list_columns(self) -> list[str]:
        """What a line shows."""
        return ["day", "working", "note"]

    def scaffold_sortable_columns(self) -> dict[str, str]:
        """The list has one order."""
        return {}

    def scaffold_form(self) -> type[DayForm]:
        """The form of a line."""
        return DayForm

    def scaffold_list_form(self, widget: Any = None, validators: Any = None) -> type[DayForm]:
        """Nothing is edited in the list."""
        return DayForm

    def get_pk_value(self, model: CalendarDay) -> str:
        """A line's id."""
        return str(model.id)

    def get_list(self, *_: Any, **__: Any) -> tuple[int, list[CalendarDay]]:
        """All lines: a year has about thirty."""
        rows = told.entered()
        return len(rows), rows

    def get_one(self, id: str) -> CalendarDay | None:
        """One line."""
        return told.one(id)

    def edit_form(self, obj: CalendarDay | None = None) -> DayForm:
        """The form, filled with a line."""
        form = super().edit_form(obj)
        if obj is not None and request.method == "GET":
            form.working.data = "yes" if obj.working else "no"
        return form

    def create_model(self, form: DayForm) -> CalendarDay | bool:
        """Enter a day."""
        return self._put(form, None)

    def update_model(self, form: DayForm, model: CalendarDay) -> bool:
        """Correct one."""
        return bool(self._put(form, str(model.id)))

    def _put(self, form: DayForm, day_id: str | None) -> CalendarDay | bool:
        working, now = form.working.data == "yes", request_now()
        try:
            return told.put(staff().staff, form.day.data, working, form.note.data, now=now, day_id=day_id)
        except Problem as problem:
            if problem.kind is not told.DAY_INVALID:
                raise
            form.day.errors = [problem.detail]
            return False

    def delete_model(self, model: CalendarDay) -> bool:
        """Take one back."""
        told.remove(staff().staff, str(model.id), now=request_now())
        return True

    def render(self, template: str, **values: Any) -> Response:
        """With what was done before."""
        lines = audit.about((told.SUBJECT,), limit=20)
        names = staff_service.names({line.actor for line in lines})
        return super().render(template, history=lines, names=names, view=self, **values)


TABLES = (
    ("calendar_day.index_view", "法定节假日与调休", "国务院每年公布的放假和调休日，日历版本里还没有的在这里录入"),
)


def _guarded(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view as the guard wants it: it names who may call it."""

    @access(Role.STAFF, rights=ADMINISTRATORS)
    @wraps(view)
    def inside(**values: Any) -> Any:
        return view(**values)

    return inside


def _install(state: BlueprintSetupState) -> None:
    app: Any = state.app
    app.session_interface = NoCookie()
    admin = Admin(name="基础数据", url=URL, endpoint="reference", index_view=Home(endpoint="reference", url=URL))
    admin.add_view(CalendarDays())
    admin.init_app(app)
    for endpoint, view in list(app.view_functions.items()):
        if endpoint.partition(".")[0] in ("reference", "calendar_day"):
            app.view_functions[endpoint] = _guarded(view)


blueprint.record(_install)
