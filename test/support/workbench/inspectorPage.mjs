// The inspector's page alone in a browser: the built page under its own policy, a theme's colours, and a machine behind it.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { patienceMs, throttle } from "./workbench.mjs";

/** The machine's side, bundled; `root` is the repository with its dist. */
export async function loadSide(root) {
	const outfile = join(root, "dist/test/inspectorSide.mjs");
	mkdirSync(join(root, "dist/test"), { recursive: true });
	await esbuild.build({
		entryPoints: [join(root, "test/support/inspectorSide.ts")],
		outfile,
		bundle: true,
		platform: "node",
		target: "es2022",
		format: "esm",
		packages: "external",
		logLevel: "warning",
	});
	return (await import(pathToFileURL(outfile).href)).InspectorSide;
}

/** Colours of VS Code's four default themes, and of popular ones that ship with it, as far as the page uses them. */
export const themes = JSON.parse(readFileSync(new URL("themes.json", import.meta.url), "utf8"));

const kinds = {
	"vscode-light": "light",
	"vscode-dark": "dark",
	"vscode-high-contrast": "highContrast",
	"vscode-high-contrast-light": "highContrastLight",
};

/** The colours of a theme as VS Code sets them on the page: the theme's own, and those that the extension contributes. */
function colourVariables(root, { kind, colors }) {
	const { contributes } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
	const own = contributes.colors.map(({ id, defaults }) => [id.replaceAll(".", "-"), defaults[kinds[kind]]]);
	return [...Object.entries(colors), ...own].map(([name, value]) => `--vscode-${name}: ${value};`).join(" ");
}

const policy = (origin) =>
	`default-src 'none'; script-src 'nonce-test'; style-src ${origin} 'nonce-test'; font-src ${origin}; img-src ${origin}`;

export class InspectorPage {
	/** Opens the page on a side; `violations` collects what its policy refused and what it threw. */
	static async open(
		browser,
		root,
		side,
		{
			theme = "light",
			viewport = { width: 1100, height: 700 },
			bodyClass = "",
			ready = "xv6-timeline",
			...options
		} = {},
	) {
		const context = await browser.newContext({ viewport, ...options });
		context.setDefaultTimeout(patienceMs);
		const page = await context.newPage();
		await throttle(page);
		const self = new InspectorPage();
		self.page = page;
		self.violations = [];
		page.on("console", (message) => message.type() === "error" && self.violations.push(message.text()));
		page.on("pageerror", (error) => self.violations.push(String(error)));
		side.post = (message) => void self.post(message).catch(() => undefined);
		await page.exposeFunction("toHost", (message) => side.receive(message));
		const origin = "http://inspector.test";
		const style = colourVariables(root, themes[theme]);
		const html = `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
			<meta http-equiv="Content-Security-Policy" content="${policy(origin)}">
			<style nonce="test">html { ${style} } body { background: var(--vscode-editor-background); margin: 0 }</style>
			<link rel="stylesheet" id="vscode-codicon-stylesheet" nonce="test" href="${origin}/codicon.css"><link rel="stylesheet" href="${origin}/inspector.css">
			<title>Memory inspector</title></head>
			<body class="${themes[theme].kind} ${bodyClass}">
			<xv6-inspector data-root="test"></xv6-inspector>
			<script nonce="test">
				window.acquireVsCodeApi = () => ({
					postMessage: (message) => { void window.toHost(message); },
					getState: () => JSON.parse(sessionStorage.getItem("state") ?? "null") ?? undefined,
					setState: (state) => sessionStorage.setItem("state", JSON.stringify(state)),
				});
			</script>
			<script type="module" nonce="test" src="${origin}/main.js"></script></body></html>`;
		const types = { js: "text/javascript", css: "text/css", ttf: "font/ttf" };
		await page.route("**/*", (route) => {
			const path = new URL(route.request().url()).pathname.slice(1);
			if (path === "") return route.fulfill({ body: html, contentType: "text/html" });
			try {
				const body = readFileSync(join(root, "dist/webview", path));
				return route.fulfill({ body, contentType: types[path.split(".").at(-1)] ?? "application/octet-stream" });
			} catch {
				return route.fulfill({ status: 404, body: "" });
			}
		});
		await page.goto(`${origin}/`);
		// Before there is a machine, something else than its time line.
		await page.locator(ready).first().waitFor();
		self.root = root;
		return self;
	}

	/** Another theme, as VS Code changes it under an open page. */
	wear(theme) {
		const { kind } = themes[theme];
		const style = colourVariables(this.root, themes[theme]);
		return this.page.evaluate(
			([style, kind]) => {
				document.querySelector("head style").textContent =
					`html { ${style} } body { background: var(--vscode-editor-background); margin: 0 }`;
				document.body.className = kind;
			},
			[style, kind],
		);
	}

	post(message) {
		return this.page.evaluate((data) => window.postMessage(data, "*"), message);
	}

	/** What a person would see, as text, for the log of a failed test. */
	async describe() {
		const text = await this.page.locator("body").ariaSnapshot({ timeout: 5000 });
		return [text, ...this.violations].join("\n").slice(0, 6000);
	}

	close() {
		return this.page.context().close();
	}
}
