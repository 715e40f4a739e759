import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

/** Every `%key%` in a manifest, wherever it stands. */
function keys(value: unknown): string[] {
	if (typeof value === "string") return [...value.matchAll(/^%([\w.]+)%$/g)].map((match) => match[1] as string);
	if (value === null || typeof value !== "object") return [];
	return Object.values(value).flatMap(keys);
}

test("package.json takes its words from package.nls.json, which has no others", () => {
	const used = new Set(keys(JSON.parse(read("package.json"))));
	const words = JSON.parse(read("package.nls.json")) as Record<string, string>;
	expect([...used].sort()).toEqual(Object.keys(words).sort());
	for (const [key, text] of Object.entries(words)) expect(text, key).not.toBe("");
});

test("nothing that people read in package.json's contributions is written there itself", () => {
	const plain: string[] = [];
	const visit = (value: unknown, path: string): void => {
		if (typeof value === "object" && value !== null) {
			for (const [key, child] of Object.entries(value)) visit(child, `${path}.${key}`);
		} else if (/\.(title|name|contextualTitle|contents|altText|\w*[dD]escription|enumDescriptions\.\d+)$/.test(path)) {
			// What tasks.json calls a problem matcher by.
			if (path.startsWith(".problemMatchers.") && path.endsWith(".name")) return;
			if (typeof value === "string" && !/^%[\w.]+%$/.test(value)) plain.push(`${path}: ${value}`);
		}
	};
	visit(JSON.parse(read("package.json")).contributes, "");
	expect(plain).toEqual([]);
});

const sources = ["src/extension", "src/protocol", "webview"].flatMap((folder) =>
	readdirSync(new URL(`../../../${folder}`, import.meta.url), { recursive: true })
		.map((name) => `${folder}/${name}`)
		.filter((name) => name.endsWith(".ts")),
);

test("the bundle for translators holds exactly the strings of the extension and of its page", () => {
	const used = new Set<string>();
	for (const file of sources) {
		const text = read(file);
		const calls = text.match(/l10n\.t\(/g)?.length ?? 0;
		const strings = [...text.matchAll(/l10n\.t\(\s*("(?:[^"\\]|\\.)*"|'[^'\\]*')/g)].map((match) => match[1] as string);
		expect(strings.length, `${file}: every l10n.t has its text as a literal`).toBe(calls);
		for (const literal of strings)
			used.add(literal.startsWith('"') ? (JSON.parse(literal) as string) : literal.slice(1, -1));
	}
	const bundle = JSON.parse(read("l10n/bundle.l10n.json")) as Record<string, string>;
	expect(Object.keys(bundle).sort()).toEqual([...used].sort());
	for (const [key, text] of Object.entries(bundle)) expect(text).toBe(key);
});
