/**
 * Who set which field: every ordinary write is recorded in `metadata.managedFields`, and server-side apply goes by it.
 * Invariants: no field has two owners unless both applied the same value; an entry whose fields do not change is
 * handed on as it is. Not done: conversion between versions (paths are taken to be the same in all of them).
 */
export type { ApplyInput } from "./applyInput.ts";
export { applyObject } from "./applyObject.ts";
export { type FieldSet, fieldSetOf, isFieldSet } from "./fieldSet.ts";
export { LAST_APPLIED_ANNOTATION } from "./lastApplied.ts";
export { isUnchanged, type UpdateInput, updateManagedFields } from "./updateManagers.ts";
