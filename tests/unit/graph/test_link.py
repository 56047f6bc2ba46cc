"""Names become edges; what names nothing, or may not be used from where it stands, is refused with the next step."""

from __future__ import annotations

from typing import Any

import pytest
from support.resources import group, make, manifest_of, refs, settings_of

from understudy.core.manifest import Manifest
from understudy.core.nodes import Metric, RefArgs, SemanticModel, UnitTest
from understudy.core.warning import Warning_
from understudy.errors import ErrorList, LinkError, ParseError
from understudy.graph.access import deprecations
from understudy.graph.link import link, link_node
from understudy.graph.names import Names


def linked(manifest: Manifest, **settings: Any) -> tuple[Warning_, ...]:
    return link(manifest, settings_of(**settings))


def parents(manifest: Manifest, unique_id: str) -> list[str]:
    return manifest.get(unique_id).depends_on.nodes  # type: ignore[union-attr]


def refusal(*resources: Any, disabled: list[Any] | None = None, **settings: Any) -> LinkError:
    manifest = manifest_of(*resources, disabled={each.unique_id: [each] for each in disabled or ()})
    with pytest.raises(LinkError) as caught:
        linked(manifest, **settings)
    return caught.value


def test_sources_come_first_then_refs_each_once() -> None:
    metric = Metric(
        name="m", package_name="shop", path="m.yml", original_file_path="models/m.yml", unique_id="metric.shop.m",
        fqn=["shop", "m"], label="M", type="derived", type_params={"metrics": [], "input_measures": []}, config={},
    )  # fmt: skip
    manifest = manifest_of(
        make("source.shop.s.t"), make("seed.shop.raw"), make("model.shop.a"),
        make("model.shop.b", refs=refs("a", "raw", "a"), sources=[["s", "t"]]),
        make("exposure.shop.board", refs=refs("b"), sources=[["s", "t"]], metrics=[["m"], ["shop", "m"]]),
        make("function.shop.f", refs=refs("a")), make("model.shop.c", functions=[["f"], ["shop", "f"]]),
        metrics={"metric.shop.m": metric},
    )  # fmt: skip
    assert linked(manifest) == ()
    assert parents(manifest, "model.shop.b") == ["source.shop.s.t", "model.shop.a", "seed.shop.raw"]
    assert parents(manifest, "exposure.shop.board") == ["source.shop.s.t", "model.shop.b", "metric.shop.m"]
    assert manifest.functions["function.shop.f"].depends_on.nodes == ["model.shop.a"]
    assert parents(manifest, "model.shop.c") == ["function.shop.f"]


def same_name_everywhere() -> Manifest:
    return manifest_of(
        make("model.shop.a"), make("model.lib.a"), make("model.lib.only"), make("model.one.twice"),
        make("model.two.twice"), make("source.lib.s.t"), make("function.lib.f"),
    )  # fmt: skip


def test_packages_are_searched_root_first_unless_the_flag_says_own_first() -> None:
    names = Names(same_name_everywhere())
    assert names.find_ref(None, "a", None, "lib") == "model.shop.a"
    assert names.find_ref("lib", "a", None, "shop") == "model.lib.a"
    assert names.find_ref(None, "only", None, "shop") == "model.lib.only"
    assert names.find_ref("shop", "only", None, "lib") is None
    assert names.find_ref(None, "twice", None, "shop") is None
    assert names.find_ref(None, "twice", None, "two") == "model.two.twice"
    assert names.find_source("s", "t", "shop") == "source.lib.s.t"
    assert names.find_source("s", "other", "shop") is None
    assert names.find_function(None, "f", "shop") == "function.lib.f"
    flags = {"require_ref_searches_node_package_before_root": True}
    own = Names.of(same_name_everywhere(), settings_of(flags=flags))
    assert own.find_ref(None, "a", None, "lib") == "model.lib.a"
    assert own.find_ref(None, "a", None, "one") == "model.shop.a"


def versions() -> list[Any]:
    def version(number: Any) -> Any:
        return make(f"model.shop.m.v{number}", name="m", version=number, latest_version=2)

    return [version(1), version(2), version(3)]


def test_without_a_version_the_latest_is_meant() -> None:
    names = Names(manifest_of(*versions()))
    assert names.find_ref(None, "m", None, "shop") == "model.shop.m.v2"
    assert names.find_ref(None, "m", 3, "shop") == names.find_ref(None, "m", "3", "shop") == "model.shop.m.v3"
    assert names.find_ref(None, "m", 4, "shop") is None


def test_a_missing_version_is_told_with_those_that_are_there() -> None:
    error = refusal(*versions(), make("model.shop.b", refs=[RefArgs("m", None, 9)]))
    assert "named 'm' with version '9', which was not found" in error.message
    assert error.hint == "Its versions are: m.v1, m.v2, m.v3."
    plain = refusal(make("model.shop.a"), make("model.shop.b", refs=[RefArgs("a", None, 1)]))
    assert plain.hint == "It has no versions."


def test_an_unknown_name_is_told_with_its_place_and_near_names() -> None:
    manifest = manifest_of(make("model.shop.orders"), make("model.shop.b", refs=refs("ordres")))
    manifest.lines["model.shop.b"] = 3
    with pytest.raises(LinkError, match="named 'ordres', which was not found") as caught:
        linked(manifest)
    assert str(caught.value.place) == "model.shop.b (models/b.sql:3)"
    assert caught.value.hint == "Did you mean 'orders'?"


def test_all_errors_are_told_at_once() -> None:
    manifest = manifest_of(
        make("source.shop.raw.orders"), make("model.shop.a", refs=refs("nothing_like_it")),
        make("model.shop.b", sources=[["raw", "order"]]), make("exposure.shop.e", refs=refs("aa")),
        make("model.shop.g", group="nowhere"),
    )  # fmt: skip
    with pytest.raises(ErrorList) as caught:
        linked(manifest)
    first, second, third, fourth = caught.value.errors
    assert first.hint is None
    assert second.hint == "Did you mean 'raw.orders'?"
    assert "'exposure.shop.e' depends on a node named 'aa'" in third.message
    assert "group 'nowhere', which is not declared" in fourth.message
    assert fourth.hint == "The groups are: none."


def test_a_package_is_told_when_it_is_the_mistake() -> None:
    a, lib = make("model.shop.a"), make("model.library.b")
    assert refusal(a, lib, make("model.shop.c", refs=[RefArgs("b", "libary")])).hint == "Did you mean 'library'?"
    gone = refusal(a, lib, make("model.shop.c", refs=[RefArgs("b", "xyz")]))
    assert gone.hint == "Nothing of package 'xyz' is in the project."
    assert "in package 'xyz'" in gone.message
    assert refusal(a, lib, make("model.shop.c", refs=[RefArgs("b", "shop")])).hint == "There is one in: library."


def test_a_name_in_several_packages_must_be_told_apart() -> None:
    error = refusal(make("model.one.a"), make("model.two.a"), make("model.shop.b", refs=refs("a")))
    assert "in several packages: model.one.a, model.two.a" in error.message
    assert error.hint == "Name the package in the reference, as its first argument."


@pytest.mark.parametrize(
    ("disabled", "referring"),
    [
        (make("model.shop.off"), {"refs": refs("off")}),
        (make("model.lib.off"), {"refs": refs("off")}),
        (make("model.shop.off.v1", name="off", version=1), {"refs": [RefArgs("off", None, 1)]}),
        (make("source.shop.s.off"), {"sources": [["s", "off"]]}),
        (make("function.shop.off"), {"functions": [["off"]]}),
    ],
)
def test_a_disabled_target_is_called_disabled(disabled: Any, referring: dict[str, Any]) -> None:
    error = refusal(make("model.shop.b", **referring), disabled=[disabled, make("test.shop.t"), make("model.lib.x")])
    assert error.message.endswith("which is disabled")
    assert disabled.original_file_path in (error.hint or "")


def test_a_disabled_namesake_of_another_package_is_not_meant() -> None:
    error = refusal(make("model.shop.b", refs=[RefArgs("off", "shop")]), disabled=[make("model.lib.off")])
    assert error.message.endswith("which was not found")


def test_a_test_without_its_parent_is_left_out_with_a_warning() -> None:
    lost = make("test.shop.lost", refs=refs("a", "gone"))
    manifest = manifest_of(make("model.shop.a"), lost, make("test.shop.kept", refs=refs("a")))
    (warning,) = linked(manifest)
    assert warning.name == "NodeNotFoundOrDisabled"
    assert "'test.shop.lost' depends on a node named 'gone', which was not found" in warning.message
    assert warning.place is not None
    assert warning.place.path == "models/lost.sql"
    assert list(manifest.nodes) == ["model.shop.a", "test.shop.kept"]
    assert manifest.disabled["test.shop.lost"][0].config["enabled"] is False


def test_a_test_of_a_disabled_model_goes_quietly_of_a_disabled_source_not() -> None:
    off = [make("model.shop.off"), make("source.shop.s.off")]
    manifest = manifest_of(
        make("test.shop.t", refs=refs("off")), make("test.shop.u", sources=[["s", "off"]]),
        disabled={each.unique_id: [each] for each in off},
    )  # fmt: skip
    (warning,) = linked(manifest)
    assert warning.name == "InvalidDisabledTargetInTestNode"
    assert "test.shop.u" in warning.message
    assert not manifest.nodes


def private(**fields: Any) -> Any:
    return make("model.shop.a", access="private", group="g", **fields)


def access(target: Any, user: Any, **settings: Any) -> None:
    linked(manifest_of(target, user, groups={"group.shop.g": group("g"), "group.shop.h": group("h")}), **settings)


def test_a_private_model_is_for_its_group() -> None:
    access(private(), make("model.shop.b", refs=refs("a"), group="g"))
    access(private(), make("model.lib.b", refs=refs("a"), group="g"))
    for user in (
        make("model.shop.b", refs=refs("a")),
        make("model.shop.b", refs=refs("a"), group="h"),
        make("exposure.shop.b", refs=refs("a")),
    ):
        with pytest.raises(LinkError, match="which is private to the group 'g'"):
            access(private(), user)
    with pytest.raises(LinkError, match="private"):
        access(private(), make("model.lib.b", refs=refs("a"), group="g"), restricted=["shop"])


def test_a_protected_model_stays_in_a_package_that_restricts_access() -> None:
    user = make("model.shop.b", refs=refs("a"))
    access(make("model.lib.a"), user)
    access(make("model.lib.a", access="public"), user, packages=["shop", "lib"], restricted=["lib"])
    access(make("model.shop.a"), user, restricted=["shop"])
    with pytest.raises(LinkError, match="which is protected to the package 'lib'"):
        access(make("model.lib.a"), user, packages=["shop", "lib"], restricted=["lib"])


def test_a_group_must_be_declared_and_public_models_need_a_relation() -> None:
    groups = {"group.shop.finance": group("finance")}
    with pytest.raises(LinkError) as caught:
        linked(manifest_of(make("model.shop.a", group="finanec"), groups=groups))
    assert caught.value.hint == "Did you mean 'finance'?"
    with pytest.raises(LinkError, match="public, but ephemeral"):
        linked(manifest_of(make("model.shop.a", access="public", config={"materialized": "ephemeral"})))


def test_a_package_that_leans_on_the_root_project_is_told() -> None:
    def lean(*reference: RefArgs, **settings: Any) -> tuple[Warning_, ...]:
        return linked(manifest_of(make("model.shop.a"), make("model.lib.b", refs=list(reference))), **settings)

    (warning,) = lean(RefArgs("a"))
    assert warning.name == "PackageNodeDependsOnRootProjectNode"
    assert lean(RefArgs("a", "shop")) == ()
    assert lean(RefArgs("a"), flags={"require_ref_searches_node_package_before_root": True}) == ()


def deprecated(date: str, **fields: Any) -> tuple[Warning_, ...]:
    manifest = manifest_of(
        make("model.shop.a", deprecation_date=date, **fields),
        make("model.shop.b", refs=[RefArgs("a", None, fields.get("version"))]),
        make("test.shop.t", refs=[RefArgs("a", None, fields.get("version"))]),
    )
    linked(manifest)
    return tuple(deprecations(manifest, "2026-11-21T06:00:00Z"))


def test_deprecation_is_told_to_the_model_and_those_that_use_it() -> None:
    past = deprecated("2026-11-21T05:00:00")
    assert [w.name for w in past] == ["DeprecatedModel", "DeprecatedReference"]
    assert "past its deprecation date" in past[0].message
    assert "'model.shop.b' refers to a, which was deprecated" in past[1].message
    coming = deprecated("2027-01-01T00:00:00+02:00", version=1, latest_version=2)
    assert [w.name for w in coming] == ["UpcomingReferenceDeprecation"]
    assert "a.v1, which will be deprecated" in coming[0].message
    assert coming[0].message.endswith("the latest version is v2")
    with pytest.raises(ParseError, match="'some day' is no date"):
        deprecated("some day")


def test_without_a_clock_nothing_is_deprecated() -> None:
    assert list(deprecations(manifest_of(make("model.shop.a", deprecation_date="2020-01-01")), "")) == []
    assert list(deprecations(manifest_of(make("model.shop.a")), "2026-11-21")) == []


def unit_test(*inputs: str) -> UnitTest:
    return UnitTest(
        name="u", model="b", given=[{"input": each} for each in inputs], expect={}, package_name="shop", path="u.yml",
        original_file_path="models/u.yml", unique_id="unit_test.shop.b.u", fqn=["shop", "u"], config={},
    )  # fmt: skip


def test_the_inputs_of_a_unit_test_are_named_as_in_a_model() -> None:
    test = unit_test("ref('a')", "source('s', 't')", "this", "ref('nothing')", "ref(var('x'))")
    test.depends_on.nodes.append("model.shop.b")
    manifest = manifest_of(make("model.shop.a"), make("model.shop.b"), make("source.shop.s.t"))
    manifest.unit_tests[test.unique_id] = test
    assert linked(manifest) == ()
    assert manifest.inputs[test.unique_id] == ("model.shop.a", "source.shop.s.t", "model.shop.b", None, None)


def test_a_node_that_came_later_is_linked_alone() -> None:
    manifest = manifest_of(make("model.shop.a"), make("model.shop.b", refs=refs("a")))
    assert link_node(manifest, settings_of(), "model.shop.b") == ()
    assert parents(manifest, "model.shop.b") == ["model.shop.a"]
    manifest.nodes["model.shop.c"] = make("model.shop.c", refs=refs("gone"))
    with pytest.raises(LinkError, match="gone"):
        link_node(manifest, settings_of(), "model.shop.c")


def metric(name: str, kind: str, **params: object) -> Metric:
    return Metric(
        name=name, package_name="shop", path="m.yml", original_file_path="models/m.yml", unique_id=f"metric.shop.{name}",
        fqn=["shop", name], label=name, type=kind, type_params={"input_measures": [], **params}, config={},
    )  # fmt: skip


def semantic(model: str) -> SemanticModel:
    return SemanticModel(
        name="sem", package_name="shop", path="s.yml", original_file_path="models/s.yml",
        unique_id="semantic_model.shop.sem", fqn=["shop", "sem"], model=f"ref('{model}')", measures=[{"name": "total"}],
        refs=refs(model), config={},
    )  # fmt: skip


def test_metrics_know_their_measures_each_once() -> None:
    total = {"name": "total"}
    manifest = manifest_of(
        make("model.shop.a"),
        semantic_models={"semantic_model.shop.sem": semantic("a")},
        metrics={
            each.unique_id: each
            for each in (
                metric("rate", "ratio", numerator={"name": "one"}, denominator={"name": "two"}),
                metric("one", "simple", measure=total),
                metric("two", "simple", measure=total),
            )
        },
    )
    assert linked(manifest) == ()
    rate = manifest.metrics["metric.shop.rate"]
    assert rate.type_params["input_measures"] == [total]
    assert rate.depends_on.nodes == ["metric.shop.one", "metric.shop.two"]
    relation = manifest.semantic_models["semantic_model.shop.sem"].node_relation
    assert relation is not None
    assert (relation["alias"], relation["schema_name"]) == ("a", "main")


def test_a_semantic_model_over_nothing_is_refused_and_has_no_relation() -> None:
    over_nothing = semantic("gone")
    manifest = manifest_of(semantic_models={"semantic_model.shop.sem": over_nothing})
    with pytest.raises(LinkError, match="gone"):
        linked(manifest)
    assert over_nothing.node_relation is None
