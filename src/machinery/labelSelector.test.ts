import { describe, expect, it } from "vitest";
import { errorText, FieldPath } from "./fieldErrors.ts";
import {
  formatSelector,
  labelSelectorMatches,
  labelSelectorOf,
  nodeRequirementMatches,
  parseLabelSelector,
  selectorMatches,
  validateLabelSelector,
} from "./labelSelector.ts";

const labels = { app: "web", tier: "front", zone: "3" };

describe("parseLabelSelector", () => {
  it.each([
    ["", "", true],
    ["app=web", "app=web", true],
    [" app == web ", "app==web", true],
    ["app!=web", "app!=web", false],
    ["nope!=web", "nope!=web", true],
    ["app in (db, web)", "app in (db,web)", true],
    ["app notin (db,web)", "app notin (db,web)", false],
    ["app in ()", "app in ()", false],
    ["app in (,web,)", "app in (,web)", true],
    ["!app", "!app", false],
    ["!nope,app", "app,!nope", true],
    ["zone>2", "zone>2", true],
    ["zone<3", "zone<3", false],
    ["app=", "app=", false],
    ["tier=front,app=web", "app=web,tier=front", true],
    ["in in (in)", "in in (in)", false],
  ])("%j reads as %j", (text, canonical, matches) => {
    const selector = parseLabelSelector(text);
    expect(formatSelector(selector)).toBe(canonical);
    expect(selectorMatches(selector, labels)).toBe(matches);
  });

  it.each([
    ["a=b c", "found 'c', expected: ',' or 'end of string'"],
    ["a=b,", "found '', expected: identifier after ','"],
    ["=b", "found '=', expected: !, identifier, or 'end of string'"],
    ["a in b", "unable to parse requirement: found 'b' expected: '('"],
    ["a in (b", "unable to parse requirement: found '', expected: ',' or ')'"],
    ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    [
      "a>x",
      "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
    ["a=b=c", "found '=', expected: ',' or 'end of string'"],
  ])("refuses %j", (text, message) => expect(() => parseLabelSelector(text)).toThrow(new Error(message)));

  it("names a bad key as upstream does", () =>
    expect(() => parseLabelSelector("-a=b")).toThrow(
      'unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of',
    ));
});

describe("label selectors of specs", () => {
  it.each([
    ["nothing selects nothing", undefined, false],
    ["an empty one selects everything", {}, true],
    ["labels must be equal", { matchLabels: { app: "web", tier: "front" } }, true],
    ["one wrong label is enough", { matchLabels: { app: "web", tier: "back" } }, false],
    ["In", { matchExpressions: [{ key: "app", operator: "In", values: ["web"] }] }, true],
    ["NotIn of a missing key", { matchExpressions: [{ key: "x", operator: "NotIn", values: ["web"] }] }, true],
    ["Exists", { matchExpressions: [{ key: "app", operator: "Exists" }] }, true],
    ["DoesNotExist", { matchExpressions: [{ key: "app", operator: "DoesNotExist" }] }, false],
  ])("%s", (_, selector, want) => expect(labelSelectorMatches(selector, labels)).toBe(want));

  it("refuses an unknown operator", () =>
    expect(() => labelSelectorOf({ matchExpressions: [{ key: "a", operator: "Is" }] })).toThrow(
      '"Is" is not a valid label selector operator',
    ));

  it("compares numbers for nodes", () => {
    expect(nodeRequirementMatches({ key: "zone", operator: "Gt", values: ["2"] }, labels)).toBe(true);
    expect(nodeRequirementMatches({ key: "app", operator: "Lt", values: ["2"] }, labels)).toBe(false);
  });

  it("lists what is wrong with one", () =>
    expect(
      validateLabelSelector(
        {
          matchExpressions: [
            { key: "a", operator: "In" },
            { key: "b", operator: "Exists", values: ["x"] },
            { key: "c", operator: "Is" },
          ],
        },
        new FieldPath("spec.selector"),
      ).map(errorText),
    ).toEqual([
      "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      'spec.selector.matchExpressions[2].operator: Invalid value: "Is": not a valid selector operator',
    ]));
});
