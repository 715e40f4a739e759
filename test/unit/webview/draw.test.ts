import fc from "fast-check";
import { expect, test } from "vitest";
import { type BarRange, drawAddressBar, layoutBar, segmentAt } from "../../../webview/draw/addressBar.ts";
import { drawFrameMap, frameAt, frameLayout } from "../../../webview/draw/frameMap.ts";
import { type Palette, readPalette, type Surface } from "../../../webview/draw/surface.ts";

/** Every colour is its own name, so that a call tells what it drew. */
const palette = readPalette({ getPropertyValue: (name) => name.replace("--vscode-", "") }) as Palette;

class Recorder implements Surface {
	fillStyle = "";
	strokeStyle = "";
	lineWidth = 1;
	font = "";
	textAlign: CanvasTextAlign = "start";
	textBaseline: CanvasTextBaseline = "top";
	readonly calls: string[] = [];
	clearRect(x: number, y: number, width: number, height: number): void {
		this.calls.push(`clear ${x} ${y} ${width} ${height}`);
	}
	fillRect(x: number, y: number, width: number, height: number): void {
		this.calls.push(`fill ${this.fillStyle} ${x} ${y} ${width} ${height}`);
	}
	strokeRect(x: number, y: number, width: number, height: number): void {
		this.calls.push(`stroke ${this.strokeStyle} ${x} ${y} ${width} ${height}`);
	}
	fillText(text: string, x: number, y: number): void {
		this.calls.push(`text ${text} ${x} ${y}`);
	}
}

test("frames of one use beside each other are one rectangle, in the colour of the use", () => {
	const surface = new Recorder();
	const layout = { columns: 4, rows: 2, cell: 3 };
	drawFrameMap(surface, { letters: "KK..UUUX", selected: -1 }, layout, palette);
	expect(surface.calls).toEqual([
		"fill editor-background 0 0 12 6",
		"fill charts-purple 0 0 6 3",
		"fill editorWidget-background 6 0 6 3",
		"fill charts-blue 0 3 9 3",
		"fill charts-red 9 3 3 3",
	]);
});

test("a large cell shows its letter, so that colour is never the only sign", () => {
	const surface = new Recorder();
	drawFrameMap(surface, { letters: "L.", selected: 1 }, { columns: 2, rows: 1, cell: 10 }, palette);
	expect(surface.calls).toContain("text L 5 5");
	expect(surface.calls).not.toContain("text . 15 5");
	expect(surface.calls.at(-1)).toBe("stroke focusBorder 9 -1 11 11");
});

test("every frame is found again at its own place", () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 1, max: 40_000 }),
			fc.integer({ min: 50, max: 2000 }),
			fc.integer({ min: 1, max: 6 }),
			(frames, width, zoom) => {
				const layout = frameLayout(frames, width, zoom);
				const index = frames - 1;
				const x = (index % layout.columns) * layout.cell + 1;
				const y = Math.floor(index / layout.columns) * layout.cell + 1;
				expect(frameAt(layout, frames, x, y)).toBe(index);
				expect(frameAt(layout, frames, x, y + layout.cell)).toBe(-1);
			},
		),
	);
});

const range = (
	label: string,
	page: number,
	pages: number,
	present = pages,
	kind: BarRange["kind"] = "data",
): BarRange => ({
	label,
	page,
	pages,
	kind,
	permissions: "rw-u",
	present,
});

test("ranges stand in address order with a gap where nothing is mapped, and none is too narrow to point at", () => {
	const segments = layoutBar([range("region", 0x3fffffd, 3), range("text", 0, 1), range("data", 1, 1)], 400);
	expect(segments.map((segment) => segment.range.label)).toEqual(["text", "data", "region"]);
	expect(segments[1]!.x).toBeCloseTo(segments[0]!.width);
	expect(segments[2]!.x).toBeGreaterThan(segments[1]!.x + segments[1]!.width);
	expect(Math.min(...segments.map((segment) => segment.width))).toBeGreaterThanOrEqual(14);
	expect(segmentAt(segments, segments[2]!.x + 1)).toBe(2);
	expect(segmentAt(segments, 10_000)).toBe(-1);
});

test("a region that nobody touched is an empty box", () => {
	const surface = new Recorder();
	drawAddressBar(surface, layoutBar([range("mmap 0", 10, 3, 0, "region")], 100), 20, -1, palette);
	expect(surface.calls).toContain("fill charts-green 0 0 0 20");
	expect(surface.calls).toContain("stroke charts-green 0.5 0.5 99 19");
	expect(surface.calls).toContain("text mmap 0 50 10");
});
