// A person's way through xv6 Lab in a real workbench and a real browser, by keyboard, from the packaged extension.
// Writes {passed, failed, skipped, failures: names} to the file given and screenshots to test-results/screenshots/.

import { spawnSync } from "node:child_process";
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toPalette } from "../../scripts/palettePng.mjs";
import { startCodeServer } from "../support/workbench/codeServer.mjs";
import { launchBrowser, Workbench } from "../support/workbench/workbench.mjs";
import { cases } from "./cases.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
process.chdir(root);
const report = process.argv[2] ?? "test-results/e2e.json";
/** A part of a case's name, to run only those; the whole name in XV6_LAB_ONLY. */
const only = process.argv[3] ?? process.env.XV6_LAB_ONLY;
const shots = join(root, "test-results/screenshots");
const pictures = join(root, "media/pictures");
mkdirSync(shots, { recursive: true });

function run(command, args, cwd = root) {
	const result = spawnSync(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });
	if (result.status !== 0) throw new Error(`${command} ${args.join(" ")}: ${result.stdout}${result.stderr}`);
	return result.stdout;
}

const scratch = mkdtempSync(join(tmpdir(), "xv6-lab-e2e-"));
const total = { passed: 0, failed: 0, skipped: 0, failures: [] };
/** XV6_LAB_BUILT: what is built is of now, and other suites read it. */
const built = process.env.XV6_LAB_BUILT ? ["--built"] : [];
if (!process.env.XV6_LAB_VSIX) run(process.execPath, ["scripts/package.mjs", ...built]);
const vsix = process.env.XV6_LAB_VSIX ?? join(root, "xv6-lab.vsix");

function makeWorkspace(name, solution) {
	const folder = join(scratch, name);
	const extra = solution ? ["--solution", solution] : [];
	run(process.execPath, ["dist/cli/xv6-lab.mjs", "new", folder, "--lab", "hw5-anonymous-mmap", ...extra]);
	return folder;
}

/** Living processes that a server or one of its started, orphans too: all have its folder for temporary files, or one in it. */
function processesOf({ scratch }) {
	const commandOf = (pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
	return readdirSync("/proc")
		.filter((name) => /^\d+$/.test(name))
		.flatMap((pid) => {
			try {
				const variables = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
				if (!variables.some((one) => one === `TMPDIR=${scratch}` || one.startsWith(`TMPDIR=${scratch}/`))) return [];
				const parent = /\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))[1];
				return [{ pid: Number(pid), command: commandOf(pid), parent: commandOf(parent) }];
			} catch {
				return []; // It ended while we looked.
			}
		});
}

/** More than the longest case needs on a slow machine; only a hang reaches it. */
const limitMs = 10 * 60_000;

function withinLimit(work) {
	let timer;
	const limit = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error("the case hangs")), limitMs);
	});
	return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

/** The last lines that the extension wrote to its log in the newest window, as its users would send them. */
function extensionLogs() {
	const folder = join((newcomerServer ?? server).userData, "logs");
	if (!existsSync(folder)) return [];
	const files = readdirSync(folder, { recursive: true })
		.filter((name) => name.endsWith("xv6 Lab.log"))
		.map((name) => ({ name, text: readFileSync(join(folder, name), "utf8"), at: statSync(join(folder, name)).mtimeMs }))
		.sort((a, b) => b.at - a.at);
	return files.slice(0, 1).map(({ name, text }) => `--- ${name}\n${text.split("\n").slice(-20).join("\n")}`);
}

const server = await startCodeServer({ vsix: [vsix] });
let webServer;
let newcomerServer;
let virtualServer;
const browser = await launchBrowser();
const context = {
	root,
	browser,
	/** Opens a folder in a new window. */
	open: (folder, options) => Workbench.open(browser, `${server.url}/?folder=${folder}`, options),
	/** A window without a folder. */
	openEmpty: () => Workbench.open(browser, `${server.url}/?ew=true`, { wait: false }),
	scratch,
	/** The same in a window whose extension runs in the browser (its `browser` entry), on a server of its own. */
	openWeb: async (folder) => {
		const asWeb = { "remote.extensionKind": { "xv6-lab.xv6-lab": ["web"] } };
		webServer ??= await startCodeServer({ vsix: [vsix], extraSettings: asWeb });
		return Workbench.open(browser, `${webServer.url}/?folder=${folder}`);
	},
	/** The same with the folder in a file system that is no disk's; see support/workbench/virtualFs. */
	openVirtual: async (folder) => {
		const virtual = join(scratch, "virtual-fs.vsix");
		const vsce = join(root, "node_modules/@vscode/vsce/vsce");
		const flags = ["--no-dependencies", "--allow-missing-repository", "--skip-license", "--out", virtual];
		run(process.execPath, [vsce, "package", ...flags], join(root, "test/support/workbench/virtualFs"));
		const asWeb = { "remote.extensionKind": { "xv6-lab.xv6-lab": ["web"], "xv6-lab-test.virtual-fs": ["web"] } };
		virtualServer ??= await startCodeServer({ vsix: [vsix, virtual], extraSettings: asWeb });
		const host = new URL(virtualServer.url).host;
		return Workbench.open(browser, `${virtualServer.url}/?folder=${encodeURIComponent(`counted://${host}${folder}`)}`);
	},
	makeWorkspace,
	/** A window without a folder, in a VS Code with its own settings as they are after installing it; its home folder is `home`. */
	openAsNewcomer: async () => {
		mkdirSync(join(scratch, "home"), { recursive: true });
		writeFileSync(join(scratch, "home/.gitconfig"), "[user]\n\tname = A Student\n\temail = student@example.org\n");
		const theirs = {
			"testing.automaticallyOpenTestResults": "openOnTestStart",
			"git.enabled": true,
			"workbench.editor.enablePreview": true,
			"security.workspace.trust.startupPrompt": "once",
		};
		newcomerServer ??= await startCodeServer({
			vsix: [vsix],
			trust: false,
			extraSettings: theirs,
			env: { HOME: join(scratch, "home") },
		});
		return Workbench.open(browser, `${newcomerServer.url}/?ew=true`, {
			wait: false,
			viewport: { width: 1280, height: 800 },
		});
	},
	/** Where an extension that runs on the server may leave files. */
	storage: [server.scratch, join(server.userData, "User/globalStorage")],
	/** The server's processes and all that it or they started. */
	processes: () => processesOf(server),
	read: (file) => readFileSync(file, "utf8"),
	/** Replaces the only occurrence of a text in a file on the disk. */
	edit: (file, before, after) => {
		const text = readFileSync(file, "utf8");
		if (text.split(before).length !== 2) throw new Error(`${file} has ${before} not exactly once`);
		writeFileSync(
			file,
			text.replace(before, () => after),
		);
	},
	shot: (workbench, name, options) => workbench.page.screenshot({ path: join(shots, `${name}.png`), ...options }),
	/** A screenshot that was taken already. */
	keepShot: (picture, name) => writeFileSync(join(shots, `${name}.png`), picture),
	/** A picture of the README, of the window or a part of it; with XV6_LAB_PICTURES set it goes where the README takes it from. */
	picture: (workbench, name, part = ".monaco-workbench") =>
		workbench.page
			.locator(part)
			.screenshot({ path: join(process.env.XV6_LAB_PICTURES ? pictures : shots, `${name}.png`) }),
	/** A picture of the walkthrough, of the whole window; with XV6_LAB_PICTURES set it goes where the walkthrough takes it from. */
	walkthrough: async (workbench, name) => {
		const image = toPalette(await workbench.page.screenshot({ animations: "disabled" }));
		const folder = process.env.XV6_LAB_PICTURES ? join(root, "media/walkthrough") : shots;
		writeFileSync(join(folder, `${process.env.XV6_LAB_PICTURES ? "" : "walkthrough-"}${name}.png`), image);
	},
	/** A picture of a handout; with XV6_LAB_PICTURES set it goes to the lab's pictures. */
	handout: async (workbench, lab, name) => {
		const image = toPalette(await workbench.page.screenshot({ animations: "disabled" }));
		const folder = process.env.XV6_LAB_PICTURES ? join(root, "labs", lab, "pictures") : shots;
		writeFileSync(join(folder, `${name}.png`), image);
	},
	/** The CLI's console text for the same session. */
	cli: (args) => run(process.execPath, ["dist/cli/xv6-lab.mjs", ...args]),
};
try {
	for (const [name, test] of Object.entries(cases)) {
		if (only && !name.includes(only)) continue;
		const start = Date.now();
		const opened = [];
		const keep = (view) => opened[opened.push(view) - 1];
		const kept =
			(open) =>
			async (...args) =>
				keep(await open(...args));
		const own = {
			...context,
			keep,
			open: kept(context.open),
			openWeb: kept(context.openWeb),
			openVirtual: kept(context.openVirtual),
			openEmpty: kept(context.openEmpty),
			openAsNewcomer: kept(context.openAsNewcomer),
		};
		try {
			await withinLimit(test(own));
			total.passed++;
			console.log(`  ok ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
		} catch (error) {
			total.failed++;
			total.failures.push(name);
			console.log(`  FAILED ${name} (${((Date.now() - start) / 1000).toFixed(1)} s): ${error.stack ?? error}`);
			console.log(
				`    load ${loadavg().map((value) => value.toFixed(1))}, seen of it, and in test-results/screenshots/:`,
			);
			for (const [index, view] of opened.entries()) {
				const file = `failed-${name.replace(/\W+/g, "-").slice(0, 60)}-${index + 1}`;
				await context.shot(view, file).catch(() => undefined);
				console.log((await view.describe().catch(String)).replace(/^/gm, "    "));
			}
			for (const log of extensionLogs()) console.log(log.replace(/^/gm, "    "));
		} finally {
			for (const workbench of opened) await workbench.close().catch(() => undefined);
		}
	}
} finally {
	await browser.close();
	await server.stop();
	await webServer?.stop();
	await newcomerServer?.stop();
	await virtualServer?.stop();
	rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
}
writeFileSync(report, JSON.stringify(total));
console.log(
	`${process.env.XV6_LAB_CASES ?? "e2e"}: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`,
);
process.exitCode = total.failed > 0 ? 1 : 0;
