import { expect, test } from "vitest";
import { isToInspector, parseFromInspector } from "../../../src/protocol/inspectorMessages.ts";

test.each([
	{ type: "ready" },
	{ type: "drawn" },
	{ type: "walk", id: 1, pid: 0, address: "0x3fffffd028" },
	{ type: "writer", id: 2, address: "0x87f4e0a8", after: 0, before: 12_345_678 },
	{ type: "control", id: 3, action: "stepToFault" },
	{ type: "openSource", file: "kernel/vm.c", line: 12 },
	{ type: "debug", instret: 5 },
])("the page's $type is taken as it is", (message) => {
	expect(parseFromInspector(structuredClone(message))).toEqual(message);
});

test.each([
	undefined,
	null,
	"ready",
	[],
	{ type: "writeDisk" },
	{ type: "constructor" },
	{ type: "ready", also: 1 },
	{ type: "control", id: 1, action: "dispose" },
	{ type: "control", id: 1, action: "toString" },
	{ type: "control", action: "pause" },
	{ type: "walk", id: 1, pid: -1, address: "0x0" },
	{ type: "walk", id: 1, pid: 1.5, address: "0x0" },
	{ type: "walk", id: Number.NaN, pid: 1, address: "0x0" },
	{ type: "walk", id: 1, pid: 1, address: "0x0; rm" },
	{ type: "walk", id: 1, pid: 1, address: { toString: "0x0" } },
	{ type: "openSource", file: 5, line: 1 },
	{ type: "openSource", file: "x".repeat(5000), line: 1 },
	{ type: "openSource", file: "a", line: Number.POSITIVE_INFINITY },
])("%j is none of the page's messages", (message) => {
	expect(parseFromInspector(message)).toBeUndefined();
});

test("the page takes the host's four messages and nothing else", () => {
	const state = { machine: "running", canDebug: false, canAskWriter: false };
	expect(isToInspector({ type: "state", state })).toBe(true);
	expect(isToInspector({ type: "model", update: undefined })).toBe(true);
	expect(isToInspector({ type: "model", update: { steps: [], stepsFrom: 0 } })).toBe(true);
	expect(isToInspector({ type: "run", run: { reasons: [], explanations: [], diagnoses: [] } })).toBe(true);
	expect(isToInspector({ type: "answer", id: 4, error: "no" })).toBe(true);
	expect(isToInspector({ type: "answer", id: 4, value: undefined })).toBe(true);
	for (const other of [
		null,
		1,
		{ type: "eval" },
		{ type: "state", state: { ...state, machine: "odd" } },
		{ type: "answer" },
	])
		expect(isToInspector(other)).toBe(false);
});
