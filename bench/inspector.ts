import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { Worker } from "node:worker_threads";
import type { BuildOutput } from "../src/build/types.ts";
import { breathe, createMachine, observe } from "../src/cli/machine.ts";
import type { LabManifest } from "../src/lab/manifest.ts";
import type { EngineParts } from "../src/worker/engine.ts";
import { LiveMachine } from "../src/worker/liveMachine.ts";
import { build, catalog, closeToolchains } from "../test/support/lab.ts";

// The load of `inspector.mjs`: a command in the terminal's machine, while a thread plays the page.

const [folder = ".", mode = "open", harts = "3", command = "usertests -q"] = process.argv.slice(2);
const image = join(folder, "image");
const lab = "hw5-anonymous-mmap";

/** Of this thread alone: neither V8's compiler threads nor the page. */
function threadSeconds(): number {
	const fields = readFileSync(`/proc/self/task/${process.pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
	return (Number(fields[11]) + Number(fields[12])) / 100;
}

if (mode === "build") {
	const output = await build(await catalog.workspace(lab, "3b"));
	writeFileSync(image, serialize({ output, manifest: await catalog.manifest(lab) }));
	await closeToolchains();
	process.exit();
}

const { output, manifest } = deserialize(readFileSync(image)) as { output: BuildOutput; manifest: LabManifest };
const { machine } = await createMachine(output, { harts: Number(harts), translator: true });
const page = new Worker(
	"const { parentPort } = require('node:worker_threads'); parentPort.on('message', () => parentPort.postMessage(0));",
	{ eval: true },
);
let updates = 0;
let updateMs = 0;
const parts = {
	emit: (kind: string, event: unknown) => {
		if (kind !== "model") return;
		page.postMessage(event);
		updates++;
	},
	breathe,
	now: () => performance.now(),
} as unknown as EngineParts;
const observer = mode === "none" ? undefined : observe(machine, output, manifest);
if (observer) {
	const open = observer.live.bind(observer);
	observer.live = () => {
		const models = open();
		const next = models.next.bind(models);
		models.next = () => {
			const began = performance.now();
			const model = next();
			updateMs += performance.now() - began;
			return model;
		};
		return models;
	};
}
const live = new LiveMachine(machine, observer, parts, { harts: Number(harts), seed: 0 });
page.on("message", () => live.drawn());
const never = new AbortController().signal;
await live.drive(never, (shell) => shell.waitForPrompt(20_000_000_000));
if (mode === "open") live.watch(true);
const [cpu, wall, instret] = [threadSeconds(), performance.now(), machine.instret];
const { end, output: said } = await live.drive(never, (shell) => shell.run(command, 2_000_000_000_000));
const result = {
	cpu: threadSeconds() - cpu,
	wall: (performance.now() - wall) / 1000,
	instructions: machine.instret - instret,
	updates,
	updateMs: updates > 0 ? updateMs / updates : 0,
	faults: observer?.faultCount,
};
writeFileSync(join(folder, "result.json"), JSON.stringify(result));
process.exit(end.kind === "prompt" && !said.includes("FAILED") ? 0 : 1);
