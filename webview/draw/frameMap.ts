import type { Palette, Surface } from "./surface.ts";

/** What a frame is used for, as one letter: also what the map prints into its cell. */
export type FrameLetter = "K" | "T" | "U" | "S" | "." | "L" | "X" | "?";

export const frameMeaning: Record<FrameLetter, string> = {
	K: "kernel image",
	T: "page-table page",
	U: "user page",
	S: "shared user page",
	".": "free",
	L: "leaked: nobody's",
	X: "in two hands: free and mapped",
	"?": "kernel memory of unknown use",
};

export interface FrameMapModel {
	/** One letter a frame, in address order. */
	readonly letters: string;
	/** Frame under the pointer or the keyboard, -1: none. */
	readonly selected: number;
	/** Frames that the filter lights up; undefined: all. */
	readonly highlighted?: ReadonlySet<number>;
}

/** Cells and where they go; shared by drawing and by hit tests. */
export interface FrameLayout {
	readonly columns: number;
	readonly rows: number;
	/** Side of a cell in CSS pixels. */
	readonly cell: number;
}

/** Frames in a row are a power of two, so that a row starts at a round address. */
export function frameLayout(frames: number, width: number, zoom: number): FrameLayout {
	const cell = Math.max(2, Math.round(3 * zoom));
	let columns = 16;
	while (columns * 2 * cell <= width && columns < 1024) columns *= 2;
	return { columns, rows: Math.ceil(frames / columns), cell };
}

export function frameAt(layout: FrameLayout, frames: number, x: number, y: number): number {
	const column = Math.floor(x / layout.cell);
	const row = Math.floor(y / layout.cell);
	const index = row * layout.columns + column;
	return column >= 0 && column < layout.columns && row >= 0 && index < frames ? index : -1;
}

export const frameColours: Record<FrameLetter, keyof Palette> = {
	K: "kernel",
	T: "pageTable",
	U: "user",
	S: "shared",
	".": "free",
	L: "leaked",
	X: "twoHands",
	"?": "guard",
};

/** Letters need this much room to be read. */
const letterCell = 9;

/** Draws the rows [firstRow, lastRow]. Runs of equal cells are one rectangle: free memory is most of it. */
export function drawFrameMap(
	surface: Surface,
	model: FrameMapModel,
	layout: FrameLayout,
	palette: Palette,
	firstRow = 0,
	lastRow = layout.rows - 1,
): void {
	const { columns, cell } = layout;
	const gap = cell >= 5 ? 1 : 0;
	surface.fillStyle = palette.background;
	surface.fillRect(0, firstRow * cell, columns * cell, (lastRow - firstRow + 1) * cell);
	for (let row = firstRow; row <= lastRow; row++) {
		let start = row * columns;
		const end = Math.min(start + columns, model.letters.length);
		while (start < end) {
			const letter = model.letters[start] as FrameLetter;
			let next = start + 1;
			if (gap === 0) while (next < end && model.letters[next] === letter) next++;
			surface.fillStyle = palette[frameColours[letter] ?? "guard"];
			const x = (start - row * columns) * cell;
			surface.fillRect(x, row * cell, (next - start) * cell - gap, cell - gap);
			start = next;
		}
	}
	if (cell >= letterCell) drawLetters(surface, model, layout, palette, firstRow, lastRow);
	drawMarks(surface, model, layout, palette);
}

function drawLetters(
	surface: Surface,
	model: FrameMapModel,
	layout: FrameLayout,
	palette: Palette,
	firstRow: number,
	lastRow: number,
): void {
	const { columns, cell } = layout;
	surface.fillStyle = palette.background;
	surface.font = `${cell - 3}px monospace`;
	surface.textAlign = "center";
	surface.textBaseline = "middle";
	const last = Math.min((lastRow + 1) * columns, model.letters.length);
	for (let frame = firstRow * columns; frame < last; frame++) {
		const letter = model.letters[frame] as string;
		if (letter === ".") continue;
		const row = Math.floor(frame / columns);
		surface.fillText(letter, ((frame % columns) + 0.5) * cell, (row + 0.5) * cell);
	}
}

function drawMarks(surface: Surface, model: FrameMapModel, layout: FrameLayout, palette: Palette): void {
	const { columns, cell } = layout;
	const frame = (index: number, colour: string, width: number) => {
		surface.strokeStyle = colour;
		surface.lineWidth = width;
		surface.strokeRect((index % columns) * cell - 1, Math.floor(index / columns) * cell - 1, cell + 1, cell + 1);
	};
	for (const index of model.highlighted ?? []) frame(index, palette.foreground, 1);
	if (model.selected >= 0) frame(model.selected, palette.focus, 2);
}
