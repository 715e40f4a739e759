// `npm run package`: xv6-lab.vsix, from what the build made; refuses to make one that is too large or holds a solution.
// `-- --built`: does not build first, since others read what is built. `-- --release` also refuses placeholders in package.json and a changelog that has not been closed.
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const maxBytes = 60 * 1024 * 1024;
process.chdir(fileURLToPath(new URL("..", import.meta.url)));

function run(command, args, options = {}) {
	const result = spawnSync(command, args, { stdio: "inherit", encoding: "utf8", ...options });
	if (result.status !== 0) process.exit(result.status ?? 1);
	return result.stdout;
}

if (process.argv.includes("--release")) {
	const { homepage, repository, bugs } = JSON.parse(readFileSync("package.json", "utf8"));
	const placeholders = [homepage, repository.url, bugs.url].filter((url) => new URL(url).hostname.endsWith(".example"));
	const unreleased = /## \[Unreleased\]\n([\s\S]*?)(?=\n## |$)/.exec(readFileSync("CHANGELOG.md", "utf8"))?.[1]?.trim();
	const open = [
		...placeholders.map((url) => `package.json still has the placeholder ${url}`),
		...(unreleased ? ["CHANGELOG.md still has entries under Unreleased"] : []),
	];
	if (open.length > 0) {
		console.error(`package: not a release:\n${open.join("\n")}`);
		process.exit(1);
	}
}

if (!process.argv.includes("--built")) run(process.execPath, ["scripts/build.mjs"]);
const vsce = ["node_modules/@vscode/vsce/vsce"];
const files = run(process.execPath, [...vsce, "ls", "--no-dependencies"], { stdio: ["ignore", "pipe", "inherit"] });
const secret = files.split("\n").filter((file) => /(^|\/)solution\//.test(file));
if (secret.length > 0) {
	console.error(`package: reference solutions must not ship:\n${secret.join("\n")}`);
	process.exit(1);
}
run(process.execPath, [
	...vsce,
	"package",
	"--no-dependencies",
	"--no-rewrite-relative-links",
	"--out",
	"xv6-lab.vsix",
]);
const { size } = statSync("xv6-lab.vsix");
console.log(`package: xv6-lab.vsix, ${(size / 1024 / 1024).toFixed(1)} MiB of at most ${maxBytes / 1024 / 1024}`);
if (size > maxBytes) {
	console.error("package: too large");
	process.exit(1);
}
