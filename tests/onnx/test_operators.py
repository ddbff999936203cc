"""The table of operators against ONNX's own definitions: every version of every operator has a rule that takes what it may have."""

import inspect

import numpy as np
import pytest

import onnx
from cltensor.onnx.reading import operators, rules
from onnx import defs

pytestmark = pytest.mark.any_style
OLDEST = 9
WITHOUT_RULE = {
    "Constant": "is no computation: its value is read",
    "RegexFullMatch": "regular expressions from files may run for ever",
}
#: defaults that say the same in another way
OTHERWISE = {("GridSample", "mode"), ("Clip", "min"), ("Clip", "max"), ("RNN", "activations")}
rules.loaded()


def definitions():
    """(version of the operator set, definition) of each version of each operator of the default domain from OLDEST on."""
    found = {}
    for schema in defs.get_all_schemas_with_history():
        if schema.domain == "" and not schema.deprecated:
            found.setdefault(schema.name, []).append(schema)
    for versions in found.values():
        versions.sort(key=lambda s: s.since_version)
        for schema, following in zip(versions, [*versions[1:], None], strict=True):
            if following is None or following.since_version > OLDEST:
                yield max(schema.since_version, OLDEST), schema


@pytest.mark.parametrize(("version", "schema"), list(definitions()), ids=lambda v: v.name if hasattr(v, "name") else str(v))
def test_rule_takes_what_the_definition_allows(version, schema):
    if schema.since_version > operators.NEWEST:
        pytest.skip("newer than the rules")
    rule = operators.rule("", schema.name, version)
    if rule is None:
        assert schema.has_function or schema.has_context_dependent_function or schema.name in WITHOUT_RULE
        return
    assert set(schema.attributes) <= set(rule.attributes)
    assert all(name in schema.attributes and schema.attributes[name].required for name, needed in rule.attributes.items() if needed)
    assert len(schema.inputs) <= len(rule.inputs) or rule.variadic
    assert rule.required <= schema.min_input
    for name, parameter in inspect.signature(rule.function).parameters.items():
        if name in schema.attributes and schema.attributes[name].default_value.type and (schema.name, name) not in OTHERWISE:
            expected = onnx.helper.get_attribute_value(schema.attributes[name].default_value)
            expected = expected.decode() if isinstance(expected, bytes) else expected
            assert parameter.default == expected or np.allclose(parameter.default, expected), name


def test_rules_of_the_host_take_the_same():
    for (domain, name), rows in operators._host.items():
        for row in rows:
            device = operators.rule(domain, name, max(row.since, 9))
            assert set(row.attributes) == set(device.attributes), name
            assert len(row.inputs) == len(device.inputs) or row.variadic, name
