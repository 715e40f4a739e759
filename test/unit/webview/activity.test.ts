import { expect, test } from "vitest";
import type { ActivityModel, ActivitySpan } from "../../../src/protocol/activity.ts";
import { activityLanes, axisTicks, moved, partAround, within, zoomed } from "../../../webview/model/activity.ts";

const span = (kind: ActivitySpan["kind"], from: number, to: number, pid: number, hart?: number): ActivitySpan => ({
	...{ kind, from, to, pid, what: "" },
	...(hart === undefined ? {} : { hart }),
});

function model(spans: readonly ActivitySpan[]): ActivityModel {
	const pids = [...new Set(spans.map(({ pid }) => pid))];
	const processes = pids.map((pid) => ({ pid, name: `p${pid}` }));
	return { from: 0, to: 1000, oldest: 0, present: 1000, harts: 2, processes, spans, marks: [], left: 0, notes: [] };
}

test("zooming keeps the instruction under the pointer where it is, and stays within bounds", () => {
	const part = { from: 1000, to: 2000 };
	expect(zoomed(part, 0.5, 1250)).toEqual({ from: 1125, to: 1625 });
	const near = zoomed(part, 0.0001);
	expect(near.to - near.from).toBe(200);
	const far = zoomed({ from: 0, to: 15_000_000 }, 4);
	expect(far.to - far.from).toBe(20_000_000);
	expect(far.from).toBe(0);
});

test("a part moves by its own length, and is cut to what the history has", () => {
	expect(moved({ from: 100, to: 200 }, -2)).toEqual({ from: 0, to: 100 });
	expect(within({ from: 900, to: 1100 }, { oldest: 0, present: 1000 })).toEqual({ from: 800, to: 1000 });
	expect(within({ from: 0, to: 5000 }, { oldest: 100, present: 1000 })).toEqual({ from: 100, to: 1000 });
	const { from, to } = partAround(10_000_000, 1000);
	expect([from, to]).toEqual([9_999_250, 10_000_250]);
});

test("a lane for each hart and each process; what is narrower than a pixel is drawn once", () => {
	const spans = [
		span("runs", 0, 500, 3, 0),
		span("holds", 100, 101, 3, 0),
		span("holds", 100.2, 101.2, 3, 0),
		span("holds", 400, 450, 3, 0),
		span("waits", 410, 450, 4, 1),
		span("sleeps", 0, 1000, 1),
	];
	const { lanes, left } = activityLanes(model(spans), { from: 0, to: 1000 }, 100);
	expect(left).toBe(0);
	expect(lanes.map(({ hart, pid }) => hart ?? `p${pid}`)).toEqual([0, 1, "p1", "p3", "p4"]);
	const kinds = lanes[0]?.bars.map((bar) => [bar.span.kind, bar.x, bar.width]);
	expect(kinds).toEqual([
		["runs", 0, 50],
		["holds", 10, 1],
		["holds", 40, 5],
	]);
	expect(lanes[1]?.bars.map(({ span: { kind } }) => kind)).toEqual(["waits"]);
	expect(lanes[3]?.bars.map(({ span: { kind } }) => kind)).toEqual(["runs"]);
});

test("the axis has round numbers, far enough apart", () => {
	const ticks = axisTicks({ from: 1_234_000, to: 3_234_000 }, 1000);
	expect(ticks.length).toBeGreaterThan(3);
	expect(ticks.length).toBeLessThan(11);
	for (const tick of ticks) expect(tick % 100_000).toBe(0);
});
