// `node bench/page.mjs`: docs/performance.html, the newest table and each row's history, from the files in bench/results.
// Each file there is an `npm run -s bench -- --json`; its name begins with its date.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { median } from "./compare.mjs";

const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** Ours ÷ QEMU's of each row, by row; wall and CPU. */
function ratios(file, key) {
	const side = (name) =>
		new Map(file.rows.filter((row) => row.side === name).map((row) => [`${row.work}|${row.harts}`, row]));
	const qemu = side("qemu");
	return new Map(
		[...side("on")].flatMap(([row, ours]) => {
			const theirs = qemu.get(row);
			// Of tables from before there were files, no more is known.
			if (key === "cpu" && ours.cpuRatio !== undefined) return [[row, ours.cpuRatio]];
			if (!theirs?.[key] || !ours[key] || median(theirs[key]) === 0) return [];
			return [[row, median(ours[key]) / median(theirs[key])]];
		}),
	);
}

const width = 160;
const height = 28;

/** A line through the history of a ratio; the thin line is QEMU. */
function spark(values) {
	const known = values.filter((value) => value !== undefined);
	const top = Math.max(1.1, ...known);
	const x = (i) => (values.length < 2 ? width / 2 : 4 + (i * (width - 8)) / (values.length - 1));
	const y = (value) => height - 3 - (value / top) * (height - 6);
	const points = values.flatMap((value, i) => (value === undefined ? [] : [[x(i), y(value)]]));
	const line = points.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(" ");
	const [lastX, lastY] = points.at(-1) ?? [0, 0];
	const label = known.map((value) => value.toFixed(2)).join(", ");
	return `<svg width="${width}" height="${height}" role="img" aria-label="history: ${label}"><title>${label}</title><line class="qemu" x1="0" x2="${width}" y1="${y(1).toFixed(1)}" y2="${y(1).toFixed(1)}"/><polyline points="${line}"/><circle cx="${lastX.toFixed(1)}" cy="${lastY.toFixed(1)}" r="2.5"/></svg>`;
}

const time = (seconds) => (seconds < 1 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(2)} s`);

/** The page of some files, oldest first. */
export function page(files) {
	const newest = files.at(-1);
	const wall = files.map((file) => ratios(file, "seconds"));
	const cpu = files.map((file) => ratios(file, "cpu"));
	const find = (row, side) =>
		files[last(row)].rows.find((one) => one.side === side && `${one.work}|${one.harts}` === row);
	const cell = (row, side) => {
		const found = find(row, side);
		return found ? time(median(found.seconds)) : "";
	};
	const ratio = (value) =>
		value === undefined ? "<td></td>" : `<td class="${value > 1 ? "slower" : ""}">${value.toFixed(2)}</td>`;
	const rowsOf = (file) => file.rows.filter(({ side }) => side === "on").map(({ work, harts }) => `${work}|${harts}`);
	// A file may hold a part of the works only: each row is of the newest file that has it.
	const rows = [...new Set(files.toReversed().flatMap(rowsOf))];
	const last = (row) => files.findLastIndex((file) => rowsOf(file).includes(row));
	const lines = rows.map((row) => {
		const [work, harts] = row.split("|");
		return `<tr><th scope="row">${escaped(work)}</th><td>${harts}</td><td>${cell(row, "on")}</td><td>${cell(row, "off")}</td><td>${cell(row, "qemu")}</td><td>${cell(row, "native")}</td>${ratio(wall[last(row)].get(row))}${ratio(cpu[last(row)].get(row))}<td>${files[last(row)].date.slice(0, 10)}</td><td>${spark(cpu.map((one) => one.get(row)))}</td></tr>`;
	});
	const head = [
		"work",
		"harts",
		"ours",
		"translator off",
		"QEMU",
		"native",
		"ours ÷ QEMU",
		"CPU, ours ÷ QEMU",
		"measured",
		"history of CPU",
	];
	const dates = files.map(({ date }) => date.slice(0, 10)).join(", ");
	return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>xv6 Lab: performance</title>
<style>
:root { color-scheme: light dark; }
body { font: 14px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; }
table { border-collapse: collapse; } th, td { padding: 2px 10px; text-align: right; border-bottom: 1px solid #8884; }
th[scope="row"], thead th:first-child { text-align: left; font-weight: normal; } thead th { font-weight: 600; }
td { font-variant-numeric: tabular-nums; } .slower { font-weight: 700; }
polyline { fill: none; stroke: #2f7ed8; stroke-width: 1.5; } circle { fill: #2f7ed8; } .qemu { stroke: #888; stroke-dasharray: 3 3; }
</style>
<h1>xv6 Lab: performance</h1>
<p>Measured on ${escaped(newest.date.slice(0, 10))}: ${escaped(newest.machine)}, ${escaped(newest.qemu ?? "no QEMU")}. The dashed line of a history is QEMU; its points are of ${escaped(dates)}. docs/performance.md says how it is measured.</p>
<table><thead><tr>${head.map((text) => `<th scope="col">${text}</th>`).join("")}</tr></thead>
<tbody>
${lines.join("\n")}
</tbody></table>
</html>
`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
	const folder = fileURLToPath(new URL("results/", import.meta.url));
	const names = readdirSync(folder)
		.filter((name) => name.endsWith(".json"))
		.sort();
	if (names.length === 0)
		throw new Error("bench/results has no file: npm run -s bench -- --json > bench/results/DATE.json");
	const files = names.map((name) => JSON.parse(readFileSync(`${folder}${name}`, "utf8")));
	writeFileSync(fileURLToPath(new URL("../docs/performance.html", import.meta.url)), page(files));
}
