"""Parameters with a default take null for "not given": clients that hold a model to a strict schema send every one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True)
class NullMeans:
    """Metadata of a parameter: null is read as the default, and the schema says that it may be null.

    The type itself stays what it was: a union with None would have the server parse texts that happen to be JSON.
    """

    default: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema of the type behind a step that puts the default in the place of null."""
        return core_schema.no_info_before_validator_function(self._given, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema of the type, or null. What it says of the parameter stays outside."""
        inner = handler(schema)
        if {"type": "null"} in inner.get("anyOf", []):
            return inner
        outer: dict[str, Any] = {name: inner.pop(name) for name in ("title", "description", "default") if name in inner}
        return {"anyOf": [inner, {"type": "null"}], **outer}

    def _given(self, value: Any) -> Any:
        return self.default if value is None else value


def nullable_signature(tool: Callable[..., Any]) -> inspect.Signature:
    """The signature of a tool with null allowed for each parameter that has a default."""
    signature = inspect.signature(tool, eval_str=True)
    parameters = [
        one
        if one.default is inspect.Parameter.empty
        else one.replace(annotation=Annotated[one.annotation, NullMeans(one.default)])
        for one in signature.parameters.values()
    ]
    return signature.replace(parameters=parameters)
