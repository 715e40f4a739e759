// `node bench/compare.mjs BEFORE.json AFTER.json`: which rows of two `npm run -s bench -- --json` moved beyond noise.
//
// A row's figure is the median of its sessions. Two files may be of computers under other load: where both have QEMU's figures for the
// same row, ours are divided by these. 2,000 resamplings of the sessions give an interval for the change; a row has moved when the
// interval leaves 1 by more than 2 %. Fewer than 3 sessions a side say nothing.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const resamplings = 2000;
/** Smaller changes than this are not worth a word. */
const least = 0.02;

export function median(values) {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The same numbers each time: a comparison is a function of its two files. */
function randomFrom(seed) {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 2 ** 32;
	};
}

/** Rows of one side by work and harts; CPU seconds where the file has them for every row of this name. */
function figures(file, side) {
	const rows = new Map();
	for (const row of file.rows) if (row.side === side) rows.set(`${row.work} | ${row.harts}`, row.cpu ?? row.seconds);
	return rows;
}

/**
 * `[{ row, before, after, change, low, high, moved }]`: seconds before and after (or multiples of QEMU's, `relative`), after ÷ before
 * and its 95 % interval. `moved`: "faster", "slower", "same", or "unknown" for too few sessions.
 */
export function compare(before, after, side = "on") {
	const [old, now] = [figures(before, side), figures(after, side)];
	const [oldQemu, nowQemu] = [figures(before, "qemu"), figures(after, "qemu")];
	const random = randomFrom(1);
	const sample = (values) => median(values.map(() => values[Math.floor(random() * values.length)]));
	return [...now].flatMap(([row, values]) => {
		const earlier = old.get(row);
		if (!earlier) return [];
		const qemu = [oldQemu.get(row), nowQemu.get(row)];
		const relative = qemu.every((list) => list?.every((value) => value > 0));
		const of = (list, theirs, take) => (relative ? take(list) / take(theirs) : take(list));
		const [was, is] = [of(earlier, qemu[0], median), of(values, qemu[1], median)];
		const changes = Array.from(
			{ length: resamplings },
			() => of(values, qemu[1], sample) / of(earlier, qemu[0], sample),
		).sort((a, b) => a - b);
		const [low, high] = [changes[Math.floor(resamplings * 0.025)], changes[Math.ceil(resamplings * 0.975) - 1]];
		const enough = Math.min(values.length, earlier.length) >= 3;
		const moved = !enough ? "unknown" : high < 1 - least ? "faster" : low > 1 + least ? "slower" : "same";
		return [{ row, before: was, after: is, relative, change: is / was, low, high, moved }];
	});
}

/** A Markdown table of the rows that moved, and how many did not. */
export function render(rows) {
	const moved = rows.filter(({ moved }) => moved === "faster" || moved === "slower");
	const number = (value, relative) => (relative ? `${value.toFixed(2)} × QEMU` : `${(value * 1000).toFixed(0)} ms`);
	const lines = moved.map(
		({ row, before, after, relative, change, low, high, moved }) =>
			`| ${row} | ${number(before, relative)} | ${number(after, relative)} | ${change.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)}) | ${moved} |`,
	);
	const head = "| work | harts | before | after | after ÷ before (95 %) | |\n| --- | --: | --: | --: | --: | --- |";
	const unknown = rows.filter(({ moved }) => moved === "unknown").length;
	const rest = `${rows.length - moved.length - unknown} rows did not move beyond noise${unknown > 0 ? `; ${unknown} rows have too few sessions to say` : ""}.`;
	return moved.length > 0 ? `${head}\n${lines.join("\n")}\n\n${rest}\n` : `${rest}\n`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
	const [before, after] = process.argv.slice(2);
	if (before === undefined || after === undefined) {
		process.stderr.write("usage: node bench/compare.mjs BEFORE.json AFTER.json\n");
		process.exitCode = 2;
	} else {
		const rows = compare(...[before, after].map((path) => JSON.parse(readFileSync(path, "utf8"))));
		process.stdout.write(render(rows));
		process.exitCode = rows.some(({ moved }) => moved === "slower") ? 1 : 0;
	}
}
