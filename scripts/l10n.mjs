// `node scripts/l10n.mjs`: l10n/bundle.l10n.json, the strings of src/extension and of the inspector's page (webview) for translators (a test says when it is out of date).
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const strings = new Set();
const folders = ["src/extension", "src/protocol", "webview"];
const files = folders.flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => `${folder}/${name}`));
for (const file of files.filter((name) => name.endsWith(".ts"))) {
	const text = readFileSync(file, "utf8");
	for (const [, double, single] of text.matchAll(/l10n\.t\(\s*(?:("(?:[^"\\]|\\.)*")|'([^'\\]*)')/g)) {
		strings.add(double ? JSON.parse(double) : single);
	}
}
mkdirSync("l10n", { recursive: true });
const bundle = Object.fromEntries([...strings].sort().map((text) => [text, text]));
writeFileSync("l10n/bundle.l10n.json", `${JSON.stringify(bundle, null, "\t")}\n`);
