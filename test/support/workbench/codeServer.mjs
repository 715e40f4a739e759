// A private code-server on loopback with a user-data folder of its own; it is VS Code's server and workbench.
import { spawn, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const node = process.env.CODE_SERVER_NODE;
const entry = process.env.CODE_SERVER_ENTRY;

/** Quiet and reproducible: no tips, no experiments, no restored sessions; terminal rows readable in the page. */
const settings = {
	"workbench.startupEditor": "none",
	"workbench.secondarySideBar.defaultVisibility": "hidden",
	"workbench.enableExperiments": false,
	"workbench.tips.enabled": false,
	"chat.disableAIFeatures": true,
	"chat.commandCenter.enabled": false,
	"terminal.integrated.gpuAcceleration": "off",
	"terminal.integrated.enablePersistentSessions": false,
	"terminal.integrated.shellIntegration.enabled": false,
	"extensions.autoCheckUpdates": false,
	"extensions.autoUpdate": false,
	"extensions.ignoreRecommendations": true,
	"telemetry.telemetryLevel": "off",
	"update.mode": "none",
	"git.enabled": false,
	// Else VS Code looks for ports by starting processes on the extension host's thread, which holds it up for 20 ms each time.
	"remote.autoForwardPorts": false,
	"remote.autoForwardPortsSource": "output",
	"window.confirmBeforeClose": "never",
	"files.simpleDialog.enable": true,
	"workbench.editor.enablePreview": false,
	"terminal.integrated.enableMultiLinePasteWarning": "never",
	"testing.automaticallyOpenTestResults": "neverOpen",
	"security.workspace.trust.startupPrompt": "never",
};

function freePort() {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.on("error", reject);
		server.listen(0, "127.0.0.1", () => {
			const { port } = server.address();
			server.close(() => resolve(port));
		});
	});
}

function environment(folder, extra) {
	const env = {
		...process.env,
		XDG_CONFIG_HOME: join(folder, "config"),
		XDG_DATA_HOME: join(folder, "data"),
		EXTENSIONS_GALLERY: "{}",
		...extra,
	};
	// An enclosing VS Code terminal must not leak in.
	for (const key of Object.keys(env)) if (key.startsWith("VSCODE_")) delete env[key];
	return env;
}

export async function startCodeServer({ vsix = [], args = [], trust = true, extraSettings = {}, env = {} } = {}) {
	const folder = mkdtempSync(join(tmpdir(), "xv6-lab-code-"));
	const userData = join(folder, "user-data");
	const extensions = join(folder, "extensions");
	const scratch = join(folder, "tmp");
	mkdirSync(scratch);
	mkdirSync(join(userData, "User"), { recursive: true });
	mkdirSync(extensions, { recursive: true });
	const all = { ...settings, "security.workspace.trust.enabled": !trust, ...extraSettings };
	writeFileSync(join(userData, "User", "settings.json"), JSON.stringify(all, null, 2));
	const base = [entry, "--user-data-dir", userData, "--extensions-dir", extensions];
	for (const file of vsix) {
		const result = spawnSync(node, [...base, "--install-extension", file], {
			env: environment(folder, env),
			encoding: "utf8",
		});
		if (result.status !== 0) throw new Error(`installing ${file} failed: ${result.stdout}${result.stderr}`);
	}
	const port = await freePort();
	const logFile = join(folder, "server.log");
	const log = openSync(logFile, "a");
	const flags = ["--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry", "--disable-update-check"];
	flags.push("--disable-getting-started-override", "--disable-proxy");
	if (trust) flags.push("--disable-workspace-trust");
	const child = spawn(node, [...base, ...flags, ...args], {
		env: environment(folder, { TMPDIR: scratch, ...env }),
		stdio: ["ignore", log, log],
		detached: true,
	});
	const url = `http://127.0.0.1:${port}`;
	for (let attempt = 0; ; attempt++) {
		const alive = await fetch(`${url}/healthz`).then(
			(response) => response.ok,
			() => false,
		);
		if (alive) break;
		if (child.exitCode !== null || attempt > 1200)
			throw new Error(`code-server did not start: ${readFileSync(logFile, "utf8")}`);
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	return {
		url,
		host: `127.0.0.1:${port}`,
		pid: child.pid,
		userData,
		/** The temporary folder of all that the server starts. */
		scratch,
		serverLog: () => readFileSync(logFile, "utf8"),
		async stop() {
			const signal = (name) => {
				try {
					process.kill(-child.pid, name);
				} catch {
					// The group is gone already.
				}
			};
			signal("SIGTERM");
			for (let i = 0; i < 50 && child.exitCode === null && child.signalCode === null; i++) {
				await new Promise((resolve) => setTimeout(resolve, 100));
			}
			signal("SIGKILL");
			closeSync(log);
			rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
		},
	};
}
