"""The OpenAPI 3.1 description, made from the routes; who may call, and the one shape of error, are added here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from apiflask import APIFlask, Schema
from werkzeug.routing import Rule

from app.core.access import Role, role_of
from app.core.errors import TABLE

_WHO = {
    Role.PUBLIC: "任何人",
    Role.PROVIDER: "外部服务的回调（验签）",
    Role.TICKET: "持有签名票据者",
    Role.ACTIVATING: "已登录者（含未激活）",
    Role.TRAINEE: "已登录并激活的学员",
    Role.STAFF_SIGNING_IN: "正在登录的工作人员",
    Role.STAFF: "工作人员",
}

TICKET = "ticket"  # the scheme of a view that reads `Authorization: Ticket`
SCHEMES: dict[str, Any] = {
    "session": {"type": "http", "scheme": "bearer", "description": "登录所得的 token"},
    TICKET: {"type": "http", "scheme": "ticket", "description": "Authorization: Ticket <网页自己的 secret>"},
}

CONFIG: dict[str, Any] = {
    "OPENAPI_VERSION": "3.1.0",
    "SERVERS": [{"url": "/"}],
    "AUTO_VALIDATION_ERROR_RESPONSE": False,
    "AUTO_AUTH_ERROR_RESPONSE": False,
    "AUTO_404_RESPONSE": False,
    "VALIDATION_ERROR_STATUS_CODE": 422,
    "SPEC_FORMAT": "json",
}


View = TypeVar("View", bound=Callable[..., Any])


def takes(schema: type[Schema], content_type: str = "application/json") -> Callable[[View], View]:
    """Describe the body of a view that decodes it by itself."""

    def mark(view: View) -> View:
        view.__dict__.setdefault("_spec", {}).update(body=schema(), content_type=content_type)
        return view

    return mark


def gives(content_type: str) -> Callable[[View], View]:
    """Describe the answer of a view that sends a file."""

    def mark(view: View) -> View:
        view._gives = content_type  # type: ignore[attr-defined]
        return view

    return mark


def _problem_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "RFC 9457；code 稳定不变，detail 告诉使用者下一步做什么，fields 逐项指出表单错误。",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "enum": sorted(TABLE)},
            "detail": {"type": "string"},
            "fields": {"type": "object"},
            "request_id": {"type": "string"},
        },
    }


def _path(rule: Rule) -> str:
    parts = []
    for is_variable, text in rule._trace:
        parts.append("{" + text + "}" if is_variable else text.lstrip("|"))
    return "".join(parts)


def _needs_body(operation: dict[str, Any], schemas: dict[str, Any]) -> bool:
    """Whether a field of the body is required; else the body may be left away."""
    kinds = operation.get("requestBody", {}).get("content", {}).values()
    names = [kind["schema"].get("$ref", "").rpartition("/")[2] for kind in kinds]
    return any(schemas.get(name, {}).get("required") for name in names)


def _name(schema: Any) -> str:
    """'PayOrderOut': the domain, then the class; the same short name may be used in every domain."""
    kind = schema if isinstance(schema, type) else type(schema)
    partial = "Update" if getattr(schema, "partial", False) else ""
    return kind.__module__.split(".")[1].capitalize() + kind.__name__ + partial


def init_app(app: APIFlask) -> None:
    """Install the processor that completes the description."""
    app.config.update(CONFIG)
    app.schema_name_resolver = _name

    @app.spec_processor
    def complete(spec: Any) -> Any:
        components = spec.setdefault("components", {})
        components.setdefault("securitySchemes", {}).update(SCHEMES)
        components.setdefault("schemas", {})["Problem"] = _problem_schema()
        problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for unused in ("HTTPError", "ValidationError"):  # the framework's own shapes: ours is one
            components["schemas"].pop(unused, None)
        for rule in app.url_map.iter_rules():
            operations = spec["paths"].get(_path(rule), {})
            view = app.view_functions[rule.endpoint]
            role, file = role_of(view), getattr(view, "_gives", None)
            for method in rule.methods or ():
                operation = operations.get(method.lower())
                if operation is None or role is None:
                    continue
                operation["x-access"] = role.value
                if _needs_body(operation, components["schemas"]):
                    operation["requestBody"]["required"] = True
                responses = operation.setdefault("responses", {})
                responses["default"] = {"description": "出错：problem+json", "content": problem}
                for code, response in responses.items():
                    if code.startswith(("4", "5")):
                        response["content"] = problem
                    elif file and code.startswith("2"):
                        response["content"] = {file: {}}
                who = f"可调用者：{_WHO[role]}。"
                operation["description"] = f"{operation.get('description', '')}\n\n{who}".strip()
                if role in (Role.ACTIVATING, Role.TRAINEE):
                    operation["security"] = [{"session": []}]
        return spec
