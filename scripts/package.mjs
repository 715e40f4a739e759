// `npm run package`: xv6-lab.vsix, from what the build made; refuses to make one that is too large or holds a solution.
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const maxBytes = 60 * 1024 * 1024;
process.chdir(fileURLToPath(new URL("..", import.meta.url)));

function run(command, args, options = {}) {
	const result = spawnSync(command, args, { stdio: "inherit", encoding: "utf8", ...options });
	if (result.status !== 0) process.exit(result.status ?? 1);
	return result.stdout;
}

run(process.execPath, ["scripts/build.mjs"]);
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
	"--allow-missing-repository",
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
