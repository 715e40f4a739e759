// `node bench/growth.mjs [POINTS]`: how time grows over a factor of 100: a Markdown table on stdout, a picture in docs/growth.svg, the points
// (JSON lines) in bench/results/growth.jsonl. The exponent is that of the last step: 1 is linear. See growth.ts. With a file of points
// nothing is measured.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
async function measure() {
	const outfile = await bundle("growth");
	const { status, stdout } = spawnSync(process.execPath, [outfile], {
		encoding: "utf8",
		stdio: ["ignore", "pipe", "inherit"],
	});
	if (status !== 0) process.exit(1);
	writeFileSync("bench/results/growth.jsonl", stdout);
	return stdout;
}

const given = process.argv[2];
const points = (given === undefined ? await measure() : readFileSync(given, "utf8"))
	.trim()
	.split("\n")
	.map((line) => JSON.parse(line));

const groups = grouped(points);
function keyOf({ series, by }) {
	return `${series}|${by}`;
}
function grouped(list) {
	const map = new Map();
	for (const one of list) map.set(keyOf(one), [...(map.get(keyOf(one)) ?? []), one]);
	return map;
}

/** 1 is linear. */
const exponent = (from, to) => (Math.log(to.ms / from.ms) / Math.log(to.x / from.x)).toFixed(2);
const number = (ms) => (ms < 10 ? ms.toFixed(1) : ms.toFixed(0));
const rows = [...groups].map(([key, list]) => {
	const [series, by] = key.split("|");
	const figures = list.map(({ x, ms }) => `${x.toLocaleString("en")}: ${number(ms)} ms`).join(", ");
	return `| ${series} | ${by} | ${figures} | ${exponent(list[0], list.at(-1))} | ${exponent(list.at(-2), list.at(-1))} |`;
});
process.stdout.write(
	`| what | by | CPU | exponent | of the last step |\n| --- | --- | --- | --: | --: |\n${rows.join("\n")}\n`,
);

// One panel a quantity, both axes logarithmic; the dashed line is linear growth from a series' first point.
const panels = [...new Set(points.map(({ by }) => by))];
const [width, height, pad] = [300, 240, 44];
const colours = ["#2f7ed8", "#d8612f", "#3a9d5d"];
const panel = (by, n) => {
	const own = [...groups.values()].filter((list) => list[0].by === by);
	const all = own.flat();
	const span = (pick) => [Math.log10(Math.min(...all.map(pick))), Math.log10(Math.max(...all.map(pick)))];
	const [[x0, x1], [y0, y1]] = [span(({ x }) => x), span(({ ms }) => ms)];
	const px = (x) => pad + ((Math.log10(x) - x0) / (x1 - x0 || 1)) * (width - pad - 28);
	const py = (ms) => height - pad - ((Math.log10(ms) - y0) / (y1 - y0 || 1)) * (height - pad - 30);
	const lines = own.map((list, i) => {
		const path = list.map(({ x, ms }) => `${px(x).toFixed(1)},${py(ms).toFixed(1)}`).join(" ");
		const first = list[0];
		const linear = { x: list.at(-1).x, ms: (first.ms * list.at(-1).x) / first.x };
		const dots = list
			.map(
				({ x, ms }) =>
					`<circle cx="${px(x).toFixed(1)}" cy="${py(ms).toFixed(1)}" r="3"/><text x="${px(x).toFixed(1)}" y="${(py(ms) - 7).toFixed(1)}">${number(ms)}</text>`,
			)
			.join("");
		return `<g fill="${colours[i]}" stroke="none"><polyline points="${path}" fill="none" stroke="${colours[i]}" stroke-width="1.5"/><line x1="${px(first.x)}" y1="${py(first.ms)}" x2="${px(linear.x)}" y2="${py(linear.ms)}" stroke="${colours[i]}" stroke-dasharray="3 4" opacity=".5"/>${dots}<text class="name" x="${pad}" y="${height - 4 - 12 * (own.length - 1 - i)}">${list[0].series}</text></g>`;
	});
	const ticks = [...new Set(all.map(({ x }) => x))]
		.map((x) => `<text class="tick" x="${px(x).toFixed(1)}" y="${height - pad + 14}">${x.toLocaleString("en")}</text>`)
		.join("");
	return `<svg x="${n * width}" width="${width}" height="${height}" overflow="hidden"><text class="title" x="${pad}" y="14">CPU ms by ${by}</text>${ticks}${lines.join("")}</svg>`;
};
writeFileSync(
	"docs/growth.svg",
	`<svg xmlns="http://www.w3.org/2000/svg" width="${panels.length * width}" height="${height}" font-family="sans-serif" font-size="10" role="img" aria-label="CPU time by size, logarithmic"><rect width="100%" height="100%" fill="#fff"/><style>text{text-anchor:middle}.title,.name{text-anchor:start}.title{font-size:12px}.tick{fill:#555}</style>${panels.map(panel).join("")}</svg>\n`,
);
