import type { Palette, Surface } from "./surface.ts";

/** One range of an address space, merged from equal pages. */
export interface BarRange {
	readonly label: string;
	/** First page number and count of pages. */
	readonly page: number;
	readonly pages: number;
	readonly kind: "text" | "data" | "stack" | "guard" | "heap" | "region" | "trapframe" | "trampoline" | "other";
	/** `rwxu` with `-` for what is missing. */
	readonly permissions: string;
	/** Pages that have a frame, out of `pages`. */
	readonly present: number;
}

/** A range on the screen. */
export interface BarSegment {
	readonly range: BarRange;
	readonly x: number;
	readonly width: number;
}

/** A range is never narrower than this, so that one page beside a gigabyte can be seen and pointed at. */
const minWidth = 14;
const gapWidth = 10;

/**
 * Ranges to scale by the square root of their size, with a fixed gap for unmapped space between them: Sv39 is 512 GiB wide and
 * xv6 uses a few pages at both ends.
 */
export function layoutBar(ranges: readonly BarRange[], width: number): BarSegment[] {
	const sorted = [...ranges].sort((a, b) => a.page - b.page);
	const gaps = sorted.filter((range, i) => i > 0 && endOf(sorted[i - 1] as BarRange) < range.page).length;
	const room = Math.max(0, width - gaps * gapWidth - sorted.length * minWidth);
	const weight = sorted.reduce((sum, range) => sum + Math.sqrt(range.pages), 0) || 1;
	const segments: BarSegment[] = [];
	let x = 0;
	sorted.forEach((range, i) => {
		if (i > 0 && endOf(sorted[i - 1] as BarRange) < range.page) x += gapWidth;
		const own = minWidth + (room * Math.sqrt(range.pages)) / weight;
		segments.push({ range, x, width: own });
		x += own;
	});
	return segments;
}

function endOf(range: BarRange): number {
	return range.page + range.pages;
}

export function segmentAt(segments: readonly BarSegment[], x: number): number {
	return segments.findIndex((segment) => x >= segment.x && x < segment.x + segment.width);
}

const colours: Record<BarRange["kind"], keyof Palette> = {
	text: "kernel",
	data: "user",
	stack: "pageTable",
	guard: "guard",
	heap: "user",
	region: "region",
	trapframe: "leaked",
	trampoline: "kernel",
	other: "user",
};

/** Filled as far as pages are present, outlined as a whole: a region that nobody touched is an empty box. */
export function drawAddressBar(
	surface: Surface,
	segments: readonly BarSegment[],
	height: number,
	selected: number,
	palette: Palette,
): void {
	const width = segments.reduce((most, segment) => Math.max(most, segment.x + segment.width), 0);
	surface.clearRect(0, 0, width, height);
	surface.font = "11px sans-serif";
	surface.textAlign = "center";
	surface.textBaseline = "middle";
	segments.forEach((segment, i) => {
		const { range, x } = segment;
		const colour = palette[colours[range.kind]];
		const filled = range.pages > 0 ? (segment.width * range.present) / range.pages : 0;
		surface.fillStyle = colour;
		surface.fillRect(x, 0, filled, height);
		surface.strokeStyle = i === selected ? palette.focus : colour;
		surface.lineWidth = i === selected ? 3 : 1;
		surface.strokeRect(x + 0.5, 0.5, segment.width - 1, height - 1);
		surface.fillStyle = filled > segment.width / 2 ? palette.background : palette.foreground;
		if (segment.width >= 30) surface.fillText(range.label, x + segment.width / 2, height / 2, segment.width - 4);
	});
}
