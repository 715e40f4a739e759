// `npm run bench`: the table of `xv6-lab bench` (same options); with --write also into docs/performance.md, its figures into bench/results.
// `npm run bench -- build` compares compilers.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const cli = "dist/cli/xv6-lab.mjs";
const page = "docs/performance.md";
const [begin, end] = ["<!-- table: made by npm run bench -- --write -->", "<!-- end of table -->"];

if (process.argv[2] === "build") {
	await import("./build.mjs");
	process.exit();
}
if (!existsSync(cli)) throw new Error("dist is missing: run npm run build first");

const write = process.argv.includes("--write");
const options = process.argv.slice(2).filter((option) => option !== "--write");
if (write && options.includes("--json"))
	throw new Error("--write keeps the figures as JSON by itself: leave --json out");
if (write) options.push("--save", `bench/results/${new Date().toISOString().slice(0, 10)}.json`);
const child = spawn(process.execPath, [cli, "bench", ...options], { stdio: ["ignore", "pipe", "inherit"] });
let table = "";
child.stdout.on("data", (bytes) => {
	table += bytes;
	process.stdout.write(bytes);
});
child.on("close", (code) => {
	process.exitCode = code ?? 1;
	if (code !== 0 || !write) return;
	const text = readFileSync(page, "utf8");
	const [from, to] = [text.indexOf(begin), text.indexOf(end)];
	if (from < 0 || to < from) throw new Error(`${page} has no place for the table`);
	writeFileSync(page, `${text.slice(0, from + begin.length)}\n\n${table}\n${text.slice(to)}`);
});
