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
	{ type: "network", id: 0 },
	{ type: "activity", id: 9, from: 0, to: Number.MAX_SAFE_INTEGER },
	...["pause", "resume", "boot", "toPresent"].map((action) => ({ type: "control", id: 3, action })),
	...["0", "18446744073709551615", "0xffffffffffffffff", "0XfF".toLowerCase()].map((address) => ({
		...{ type: "walk", id: 1, pid: 1, address },
	})),
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
	{ type: "openSource", file: "", line: 1 },
	{ type: "openSource", file: "a", line: -1 },
	{ type: "openSource", file: "a" },
	...["", "0x", "x10", "0x12345678901234567", "123456789012345678901", " 0x1", "0x1\n", "-1"].map((address) => ({
		...{ type: "walk", id: 1, pid: 1, address },
	})),
	{ type: "writer", id: 2, address: "0x1", after: 0 },
	{ type: "writer", id: 2, address: "0x1", after: -1, before: 1 },
	{ type: "activity", id: 1, from: 0, to: 2 ** 53 },
	{ type: "activity", id: 1, from: 0.5, to: 1 },
	{ type: "network" },
	{ type: "network", id: 1, pid: 1 },
	{ type: "debug", instret: "5" },
	{ type: "drawn", id: 1 },
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

test.each([
	{ type: "past", model: undefined },
	{ type: "past", model: { format: 1 } },
	{ type: "show", part: "activity" },
	{ type: "run", run: undefined },
	{ type: "run", run: { reasons: ["a"], outcome: "failed" } },
	{ type: "answer", id: 0, value: { steps: [] } },
	...["none", "running", "paused", "past", "dead"].map((machine) => ({
		...{ type: "state", state: { machine, canDebug: true, canAskWriter: true } },
	})),
])("%j is the host's", (message) => {
	expect(isToInspector(message)).toBe(true);
});

test.each([
	undefined,
	{ type: "show", part: "disk" },
	{ type: "show", part: "activity", also: 1 },
	{ type: "past", model: 5 },
	{ type: "past", also: 1 },
	{ type: "model", update: "x" },
	{ type: "model", also: 1 },
	{ type: "run", run: { reasons: [1] } },
	{ type: "run", run: {} },
	{ type: "answer", id: -1 },
	{ type: "answer", id: 1, error: 5 },
	{ type: "answer", id: 1, value: 5 },
	{ type: "answer", id: 1, also: 1 },
	{ type: "state" },
	{ type: "state", state: { machine: "running", canDebug: 1, canAskWriter: true } },
	{ type: "state", state: { machine: "running", canDebug: true } },
	{ type: "state", state: { machine: "running", canDebug: true, canAskWriter: true, also: 1 } },
])("%j is not the host's", (message) => {
	expect(isToInspector(message)).toBe(false);
});
